#!/bin/bash
# Run a test, and fail if a sanitizer had something to say: Criterion passes a test whose leaks are reported after it.
output=$("$@" 2>&1)
code=$?
printf '%s\n' "$output"
if grep -qE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ' <<<"$output"; then
    echo "a sanitizer reported something, see above"
    [ $code -ne 0 ] || code=99
fi
exit $code
