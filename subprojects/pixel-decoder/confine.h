/*
 * confine - what the process gives up before it looks at the first byte of a file: it decodes what strangers wrote,
 * with libraries that strangers wrote, and needs nothing for that but memory, time, the file's descriptor and its
 * socket.
 */
#ifndef CONFINE_H
#define CONFINE_H

/*
 * For good: no core file, no file written, no descriptor beyond the one that a request brings, a limit on memory, no
 * new privileges; and by a filter of system calls (on x86-64 and arm64) no opening, no socket, no connection, no
 * process, no program, no signal to others and no change of limits. All that the libraries load has to be loaded.
 * Returns false if a limit cannot be set.
 */
bool confine();

#endif
