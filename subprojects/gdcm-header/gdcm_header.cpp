// gdcm_header - see gdcm_header.h. The one place where GDCM and C++ live.
#include "gdcm_header.h"

#include <cerrno>
#include <cstring>
#include <istream>
#include <new>
#include <set>
#include <streambuf>
#include <string>

#include <gdcmExplicitDataElement.h>
#include <gdcmImplicitDataElement.h>
#include <gdcmReader.h>
#include <gdcmSwapper.h>
#include <gdcmTrace.h>

namespace
{

// A stream over bytes of the caller's, which can be pointed at other bytes without any allocation.
class MemoryBuffer : public std::streambuf
{
  public:
    void point_at(const uint8_t *bytes, size_t len)
    {
        char *begin = const_cast<char *>(reinterpret_cast<const char *>(bytes));
        setg(begin, begin, begin + len);
    }
    size_t consumed() const { return static_cast<size_t>(gptr() - eback()); }
};

void silence_gdcm()
{
    // Library code does not print: what is wrong with a file is told by its outcome.
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
}

void copy_uid(const gdcm::DataSet &set, const gdcm::Tag &tag, char *ret_text, size_t size)
{
    if (!set.FindDataElement(tag))
        return;
    const gdcm::ByteValue *value = set.GetDataElement(tag).GetByteValue();
    if (value == nullptr)
        return;
    std::string text(value->GetPointer(), value->GetLength());
    text.erase(text.find_last_not_of(std::string(" \0", 2)) + 1);
    std::strncpy(ret_text, text.c_str(), size - 1);
}

} // namespace

struct gdcm_header_reader {
    MemoryBuffer buffer;
    std::istream stream;
    gdcm::ExplicitDataElement explicit_element;
    gdcm::ImplicitDataElement implicit_element;
    gdcm_header_reader() : stream(&buffer) {}
};

struct gdcm_header_reader *gdcm_header_reader_create(void)
{
    try {
        silence_gdcm();
        return new gdcm_header_reader;
    } catch (...) {
        return nullptr;
    }
}

void gdcm_header_reader_destroy(struct gdcm_header_reader *reader) { delete reader; }

int gdcm_header_read_element(struct gdcm_header_reader *reader, enum gdcm_header_form form, const uint8_t *bytes,
                             size_t len, struct gdcm_header_element *ret_element)
{
    try {
        reader->buffer.point_at(bytes, len);
        reader->stream.clear();
        gdcm::DataElement *element = &reader->explicit_element;
        switch (form) {
        case GDCM_HEADER_EXPLICIT_LE:
            reader->explicit_element.ReadPreValue<gdcm::SwapperNoOp>(reader->stream);
            break;
        case GDCM_HEADER_EXPLICIT_BE:
            reader->explicit_element.ReadPreValue<gdcm::SwapperDoOp>(reader->stream);
            break;
        case GDCM_HEADER_IMPLICIT_LE:
            reader->implicit_element.ReadPreValue<gdcm::SwapperNoOp>(reader->stream);
            element = &reader->implicit_element;
            break;
        }
        if (!reader->stream || element->GetVL().IsUndefined())
            return -EBADMSG;
        size_t header_len = reader->buffer.consumed();
        if (header_len < 8) // an item, of which GDCM reads the tag alone, with the length of the element before
            return -EBADMSG;
        size_t value_len = static_cast<uint32_t>(element->GetVL());
        if (value_len > len - header_len)
            return -EBADMSG;
        ret_element->group = element->GetTag().GetGroup();
        ret_element->element = element->GetTag().GetElement();
        ret_element->value = bytes + header_len;
        ret_element->value_len = value_len;
        return static_cast<int>(header_len + value_len);
    } catch (...) {
        return -EBADMSG;
    }
}

int gdcm_header_read_file(const char *path, struct gdcm_header_uids *ret_uids)
{
    std::memset(ret_uids, 0, sizeof *ret_uids);
    try {
        silence_gdcm();
        gdcm::Reader reader;
        reader.SetFileName(path);
        const std::set<gdcm::Tag> wanted = {gdcm::Tag(0x0008, 0x0016), gdcm::Tag(0x0008, 0x0018),
                                            gdcm::Tag(0x0020, 0x000d), gdcm::Tag(0x0020, 0x000e)};
        if (!reader.ReadSelectedTags(wanted))
            return -EBADMSG;
        const gdcm::DataSet &set = reader.GetFile().GetDataSet();
        copy_uid(set, gdcm::Tag(0x0008, 0x0016), ret_uids->class_uid, sizeof ret_uids->class_uid);
        copy_uid(set, gdcm::Tag(0x0008, 0x0018), ret_uids->instance_uid, sizeof ret_uids->instance_uid);
        copy_uid(set, gdcm::Tag(0x0020, 0x000d), ret_uids->study_uid, sizeof ret_uids->study_uid);
        copy_uid(set, gdcm::Tag(0x0020, 0x000e), ret_uids->series_uid, sizeof ret_uids->series_uid);
        copy_uid(reader.GetFile().GetHeader(), gdcm::Tag(0x0002, 0x0010), ret_uids->syntax_uid,
                 sizeof ret_uids->syntax_uid);
        return 0;
    } catch (...) {
        return -EBADMSG;
    }
}
