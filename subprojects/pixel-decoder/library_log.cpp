/* library_log - see library_log.h. */
#include "library_log.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/logger.h>
#include <dcmtk/oflog/oflog.h>
#include <dcmtk/oflog/spi/logevent.h>

using namespace dcmtk;

static std::string first_damage;

/* Of IJG's warnings (jerror.h), those that are about headers alone. */
static const char *const harmless[] = {
    "Unknown Adobe color transform code",         /* the data set says which colours these are */
    "Warning: unknown JFIF revision number",      /* likewise */
    "Invalid SOS parameters for sequential JPEG", /* spectral selection, which a sequential JPEG has none of */
};

static bool is_harmless(const std::string &message)
{
    for (const char *text : harmless)
        if (message.find(text) != std::string::npos)
            return true;
    return false;
}

namespace
{
class keeper : public log4cplus::Appender
{
  public:
    ~keeper() override { destructorImpl(); }
    void close() override { closed = true; }

  protected:
    void append(const log4cplus::spi::InternalLoggingEvent &event) override
    {
        const std::string message = event.getMessage().c_str();
        if (first_damage.empty() && !is_harmless(message))
            first_damage = message;
    }
};
} // namespace

void library_log_begin()
{
    OFLog::configure(OFLogger::WARN_LOG_LEVEL);
    log4cplus::Logger root = log4cplus::Logger::getRoot();
    root.removeAllAppenders();
    root.addAppender(log4cplus::SharedAppenderPtr(new keeper));
}

void library_log_clear()
{
    first_damage.clear();
}

std::string library_log_damage()
{
    return first_damage;
}
