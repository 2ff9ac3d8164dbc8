/* library_log - see library_log.h. */
#include "library_log.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/logger.h>
#include <dcmtk/oflog/oflog.h>
#include <dcmtk/oflog/spi/logevent.h>

using namespace dcmtk;

static std::string first_warning;

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
        if (first_warning.empty())
            first_warning = event.getMessage().c_str();
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

std::string library_log_take()
{
    std::string taken;
    taken.swap(first_warning);
    return taken;
}
