#include "shared/api/answer.h"

#include <array>
#include <utility>

namespace duhui::api {
namespace {

struct Sentence {
  std::string_view name;
  std::string_view zh;
  std::string_view en;
};

constexpr std::array kRules = {
    Sentence{"open_conflict", "还有未处理的分歧，处理后才能提交。",
             "A conflict is still open; settle it first."},
    Sentence{"not_in_conflict", "这一项没有未处理的分歧，没有改动任何内容。",
             "No conflict is open on this field; nothing was changed."},
    Sentence{"not_author", "只有填写人本人可以这样做。", "Only the author may do this."},
    Sentence{"not_writer", "您的角色不能填写这一项。", "Your role may not write this field."},
    Sentence{"frozen", "记录已提交，修改将作为补充说明等待处理。",
             "The record is submitted; changes wait as an amendment."},
    Sentence{"unknown_field", "没有这个字段。", "There is no such field."},
    Sentence{"unknown_type", "没有这种记录。", "There is no such type of record."},
    Sentence{"wrong_type", "值的类型不对。", "The value has the wrong type."},
    Sentence{"not_writable", "这个字段不能这样修改。", "This field cannot be written that way."},
    Sentence{"not_from_this_state", "记录当前的状态不允许这一步。",
             "The record's state does not allow this step."},
    Sentence{"missing", "缺少必需的内容。", "Something that is required is missing."},
    Sentence{"elsewhere", "这条记录不属于本机负责的范围。",
             "The record does not belong to this device's scope."},
    Sentence{"scope", "不知道记录属于哪所学校或机构。",
             "It is not known where the record belongs."},
    Sentence{"seen", "随附的“已读”标记无效，请重新打开记录。",
             "The seen token is not valid; open the record again."},
    Sentence{"wrong_password", "姓名（账号）或密码不对。", "The name or the password is wrong."},
    Sentence{"locked", "已锁定，请输入密码继续。", "Locked; enter the password to go on."},
    Sentence{"must_change", "请先修改密码。", "Choose a password of your own first."},
    Sentence{"csrf", "页面已过期，请刷新后再试。", "The page is out of date; load it again."},
    Sentence{"password_short", "密码至少 8 个字符，纯数字至少 10 位。",
             "A password has at least 8 characters, 10 if all are digits."},
    Sentence{"password_long", "密码最多 128 个字节。", "A password has at most 128 bytes."},
    Sentence{"password_text", "密码里有无法输入的字符。",
             "The password holds what cannot be typed."},
    Sentence{"password_simple", "这个密码太容易猜到。", "That password is too easy to guess."},
    Sentence{"not_provisional", "本机已有正式账号，请用密码登录。",
             "This device has real accounts; sign in with a password."},
    Sentence{"no_such_place", "没有这个登录地点。", "There is no such place to sign in at."},
    Sentence{"out_of_reach", "此人的职责不涉及这个地点。",
             "Nothing of what the person does reaches there."},
    Sentence{"not_by_hand", "这个登录地点不是手工添加的，由职务和挂牌决定。",
             "That place was not added by hand; it follows from role and posting."},
    Sentence{"taken", "这个名称已是他人的登录名或编号。",
             "That name is somebody else's login or id already."},
    Sentence{"not_here", "首次联网之前，只能在这台电脑上登录。",
             "Before the first contact with the hub, sign in at the machine itself."},
    Sentence{"record exists", "这条记录已经存在。", "The record exists already."},
    Sentence{"foreign_host", "本机不以这个名称提供服务；管理员可在 allowed_hosts 中添加。",
             "This name is not served here; an administrator can add it to allowed_hosts."},
    Sentence{"foreign_page", "只接受本系统自己页面的请求。",
             "Only pages of this system may ask this."},
    Sentence{"media_type", "只接受 JSON。", "Only JSON is accepted."},
    Sentence{"file_type",
             "不接受这种类型的文件；可用照片、PDF、Office/WPS 文档、文本、音频、视频或 ZIP。",
             "Files of this type are not taken; photos, PDF, office documents, text, sound, film "
             "and ZIP are."},
    Sentence{"file_active", "文件里有程序、网页或脚本，不能作为附件。",
             "The file is a program, a page or a script; those are not taken."},
    Sentence{"file_broken", "文件不完整，或者后面接着别的内容；请重新导出后再传。",
             "The file is not whole, or something else follows it; save it anew and try again."},
    Sentence{"file_macros", "文档里有宏；请另存为不含宏的文档。",
             "The document has macros; save it without them."},
    Sentence{"file_archive", "压缩包里有越出文件夹的路径，或解压后过大。",
             "The archive leaves its folder or unpacks to far too much."},
    Sentence{"file_size", "文件过大：照片 40 MB、文档 100 MB、其他 2 GB 以内。",
             "The file is too large: photos 40 MB, documents 100 MB, others 2 GB at most."},
    Sentence{"file_hash", "传来的内容与原文件不一致，请重新上传。",
             "What arrived is not what was sent; upload it again."},
    Sentence{"file_absent", "文件还没有传到这台电脑。",
             "The file has not come to this machine yet."},
    Sentence{"file_disk", "磁盘空间不足，放不下这个文件。",
             "There is not enough room on the disk for this file."},
    Sentence{"image_pixels", "图片的像素过多。", "The picture has too many pixels."},
    Sentence{"image_memory", "图片过大且不能逐行读取；请另存为普通 JPEG。",
             "The picture is too large to be read row by row; save it as a plain JPEG."},
    Sentence{"image_broken", "图片已损坏或不完整。", "The picture is damaged or not whole."},
    Sentence{"image_animated", "不接受动图；请使用静态图片或视频。",
             "Moving pictures are not taken; use a still one or a film."},
    Sentence{"upload_offset", "续传的位置不对；请先询问已收到多少。",
             "That is not where the upload goes on; ask first how much has come."},
    Sentence{"upload_busy", "上一段还在写入，请稍候再传。",
             "The piece before is still being written; try again in a moment."},
    Sentence{"uploads", "未完成的上传太多；请先完成或取消一些。",
             "Too many uploads are unfinished; finish or cancel some."},
    Sentence{"thumbnail", "缩略图超过 8 KiB。", "A thumbnail is over 8 KiB."},
    Sentence{"sha256", "文件的校验值写法不对。", "A file's hash is not written as one."},
    Sentence{"no such file", "没有这个文件。", "There is no such file."},
    Sentence{"no such record", "没有这条记录。", "There is no such record."},
};

Sentence sentence_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return {"", "输入有误。", "The input is not valid."};
    case ErrorCode::not_found:
      return {"", "没有找到。", "Not found."};
    case ErrorCode::refused:
      return {"", "按规则不允许。", "A rule does not allow this."};
    case ErrorCode::conflict:
      return {"", "已被他人先行改动，请重新读取。", "Somebody else was first; read again."};
    case ErrorCode::corrupt_data:
      return {"", "存储的数据有损坏，已记录。", "Stored data is damaged; it was reported."};
    case ErrorCode::storage_failed:
      return {"", "未能存盘，请检查磁盘空间后重试。", "Not saved: check the disk and try again."};
    case ErrorCode::unavailable:
      return {"", "暂时不可用，请稍后再试。", "Not available now; try again later."};
    case ErrorCode::limit_exceeded:
      return {"", "超出允许的大小或数量。", "Over a limit of size or number."};
    case ErrorCode::unauthenticated:
      return {"", "请先登录。", "Sign in first."};
    case ErrorCode::forbidden:
      return {"", "您的身份不能做这件事。", "You may not do this."};
    case ErrorCode::throttled:
      return {"", "尝试次数过多，请稍后再试。", "Too many tries; wait before the next."};
  }
  return {"", "", ""};
}

}  // namespace

ApiResponse settled(ApiResponse answer) {
  while (answer.deferred) {
    const std::shared_ptr<Deferred> rest = std::move(answer.deferred);
    rest->work();
    answer = rest->finish();
  }
  return answer;
}

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::refused:
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::limit_exceeded:
      return 413;
    case ErrorCode::unavailable:
    case ErrorCode::storage_failed:
      return 503;
    case ErrorCode::corrupt_data:
      return 500;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::throttled:
      return 429;
  }
  return 500;
}

std::string message_of(const Error& error, Language language) {
  // "records[3]: open_conflict: ..." names the place first.
  for (const Sentence& rule : kRules) {
    const bool first = error.detail.starts_with(rule.name);
    if (first || error.detail.find(": " + std::string(rule.name)) != std::string::npos) {
      return std::string(language == Language::zh ? rule.zh : rule.en);
    }
  }
  const Sentence general = sentence_of(error.code);
  return std::string(language == Language::zh ? general.zh : general.en);
}

ApiResponse error_answer(const Error& error) {
  return {http_status(error.code),
          {{"error",
            {{"code", to_string(error.code)},
             {"detail", error.detail},
             {"message_zh", message_of(error, Language::zh)},
             {"message_en", message_of(error, Language::en)}}}}};
}

std::optional<Error> error_of(const ApiResponse& answer) {
  if (answer.ok()) return std::nullopt;
  Error error{ErrorCode::unavailable, "answer " + std::to_string(answer.status)};
  if (!answer.body.is_object() || !answer.body.contains("error")) return error;
  const auto& told = answer.body["error"];
  if (!told.is_object()) return error;
  error.detail = told.value("detail", error.detail);
  const std::string name = told.value("code", "");
  for (int n = 0; n <= static_cast<int>(kLastErrorCode); ++n) {
    if (to_string(static_cast<ErrorCode>(n)) == name) error.code = static_cast<ErrorCode>(n);
  }
  return error;
}

}  // namespace duhui::api
