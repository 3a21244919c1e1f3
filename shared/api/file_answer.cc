#include "shared/api/file_answer.h"

#include <utility>

#include "shared/media/file_name.h"
#include "shared/media/known_type.h"
#include "shared/media/source.h"

namespace duhui::api {

std::shared_ptr<FileAnswer> file_answer(const NamedFile& named, FileBytes bytes, std::string tag) {
  const auto type = media::known_type(named.mime);
  auto answer = std::make_shared<FileAnswer>();
  answer->size = bytes.size;
  answer->content_type = type ? media::full_mime(*type) : "application/octet-stream";
  const std::string name =
      type ? media::safe_file_name(named.name, *type) : media::safe_file_name(named.name);
  answer->disposition = media::content_disposition(name, type && media::shows(*type));
  answer->tag = std::move(tag);
  answer->read = std::move(bytes.read);
  return answer;
}

std::shared_ptr<FileAnswer> thumbnail_answer(std::string bytes, const std::string& sha256) {
  auto answer = std::make_shared<FileAnswer>();
  answer->size = bytes.size();
  answer->content_type = "image/jpeg";
  answer->disposition = media::content_disposition("thumbnail.jpg", true);
  answer->tag = sha256 + "-thumbnail";
  answer->read = [bytes = std::move(bytes)](std::uint64_t offset, std::size_t size) {
    return media::MemorySource(bytes).read(offset, size);
  };
  return answer;
}

}  // namespace duhui::api
