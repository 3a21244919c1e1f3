#include "shared/api/why_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "shared/api/time_text.h"
#include "shared/record/json_text.h"
#include "shared/record/record_edit.h"

namespace duhui::api {
namespace {

constexpr std::size_t kShortBytes = 120;

struct RuleText {
  std::string_view rule;
  std::string_view zh;
  std::string_view en;
};

constexpr std::array kRuleTexts = {
    RuleText{"no_value", "还没有人填写。", "Nobody has written it."},
    RuleText{"cleared", "最后一次修改把它清空了。", "The last change cleared it."},
    RuleText{"only_value", "只有这一个值，没有别的值与它并存。",
             "It is the only value; nothing competes with it."},
    RuleText{"same_value", "几个人各自填了同样的值。", "Several people wrote the same value."},
    RuleText{"same_author_later", "同一个人在两处填写，以较晚的为准。",
             "The same person wrote it twice; the later one counts."},
    RuleText{"latest", "互不知情的几个值中取时间最晚的一个。",
             "Of several values written without knowing of each other, the latest is shown."},
    RuleText{"higher_rank", "以层级较高者填写的值为准。",
             "The value of the higher office is shown."},
    RuleText{"extreme", "按规定取其中最极端的一个。",
             "By rule the extreme of the values is shown."},
    RuleText{"add_wins", "有人添加，而删除的人没有看到这次添加，所以保留。",
             "Somebody added it and whoever removed it had not seen that, so it stays."},
    RuleText{"all_entries", "这一项只增不减，全部条目都保留。",
             "Entries are only added; all of them are kept."},
    RuleText{"hub_value", "这一项由中心填写。", "The hub writes this field."},
    RuleText{"proposal_waiting", "这一项由中心填写；下面的值是建议，等待处理。",
             "The hub writes this field; the values below are proposals."},
    RuleText{
        "conflict_open", "几个人填了不同的值，须由人来决定，在此之前两个值都保留。",
        "People wrote different values; a person has to decide, until then all of them are kept."},
    RuleText{"frozen", "记录已提交；显示签字时看到的值，之后的修改作为补充等待处理。",
             "The record was submitted; what its signers saw is shown, later changes wait as "
             "amendments."},
    RuleText{"derived", "由其他内容推算得出，不由人填写。",
             "It follows from other fields; nobody writes it."},
    RuleText{"deleted", "记录已删除。", "The record is deleted."},
    RuleText{"restored", "有人删除，但删除的人没有看到别人的修改，所以恢复。",
             "Somebody deleted it without having seen another person's edit, so it was restored."},
};

std::string_view rule_text(std::string_view rule, Language language) {
  for (const RuleText& text : kRuleTexts) {
    if (text.rule == rule) return language == Language::zh ? text.zh : text.en;
  }
  return rule;
}

struct SignInText {
  sync::v1::SignIn sign_in;
  std::string_view zh;
  std::string_view en;
};
constexpr std::array kSignInTexts = {
    SignInText{sync::v1::SIGN_IN_AT_DEVICE, "在终端用密码登录", "signed in at a device"},
    SignInText{sync::v1::SIGN_IN_AT_HUB, "在中心用密码登录", "signed in at the hub"},
    SignInText{sync::v1::SIGN_IN_PROVISIONAL, "只报了姓名，身份未核对",
               "by name only, not verified"},
    SignInText{sync::v1::SIGN_IN_OPERATOR, "由中心机器的管理员代录", "by the operator of the hub"},
    SignInText{sync::v1::SIGN_IN_IMPORT, "从文件导入", "read from a file"}};

struct Writer {
  const RecordSchema& schema;
  const RecordState& state;
  const RegisterKey& key;
  const Explanation& why;
  const std::function<std::string(const std::string&)>& name_of;
  bool zh;
  std::map<Dot, std::size_t> numbers{};

  std::string value_text(const AuthoredValue& written) const {
    if (!written.value) return zh ? "（清空）" : "(cleared)";
    return short_value(fragment_json(schema, key, *written.value));
  }

  std::string number_list(const std::vector<Dot>& dots) const {
    std::string text;
    for (const Dot& dot : dots) {
      const auto found = numbers.find(dot);
      if (found == numbers.end()) continue;
      if (!text.empty()) text += zh ? "、" : ", ";
      text += std::to_string(found->second);
    }
    return text;
  }

  std::string line(std::size_t number, const Explanation::Entry& entry) const {
    const AuthoredValue& written = entry.write;
    std::string text = std::to_string(number) + ". ";
    text += name_of(written.person) + (zh ? "，" : ", ");
    text += time_text(WallTime{written.stamp.effective_ms});
    if (written.stamp.quality == sync::v1::TIME_QUALITY_PROVISIONAL) {
      text += zh ? "（尚未送达中心）" : " (not at the hub yet)";
    } else if (written.stamp.quality != sync::v1::TIME_QUALITY_GOOD) {
      text += zh ? "（设备时钟不准，时间已校正）" : " (clock was wrong, time repaired)";
    }
    const OpFacts* op = state.op(written.dot);
    for (const SignInText& how : kSignInTexts) {
      if (op == nullptr || op->sign_in != how.sign_in) continue;
      text += zh ? "（" : " (";
      text += zh ? how.zh : how.en;
      text += zh ? "）" : ")";
    }
    text += (zh ? "：" : ": ") + value_text(written);
    if (!written.reason.empty()) text += (zh ? "；理由：" : "; reason: ") + written.reason;
    const std::string saw = number_list(entry.saw);
    if (!saw.empty()) text += (zh ? "；填写时看到第 " : "; had seen ") + saw + (zh ? " 条" : "");
    const std::string gone = number_list(entry.replaced_by);
    if (!gone.empty()) {
      text += (zh ? "；已被第 " : "; replaced by ") + gone + (zh ? " 条替换" : "");
    }
    if (entry.shown) text += zh ? "　← 显示" : "  <- shown";
    return text;
  }
};

}  // namespace

std::string short_value(const nlohmann::json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : json_text(value);
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() <= kShortBytes) return text;
  std::size_t end = kShortBytes;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string why_text(const RecordSchema& schema,
                     const RecordState& state,
                     const RegisterKey& key,
                     const Explanation& why,
                     const std::function<std::string(const std::string&)>& name_of,
                     Language language) {
  Writer writer{schema, state, key, why, name_of, language == Language::zh};
  for (std::size_t at = 0; at < why.entries.size(); ++at) {
    writer.numbers[why.entries[at].write.dot] = at + 1;
  }
  std::string text = path_of(schema, key) + (writer.zh ? "：" : ": ");
  text += rule_text(why.rule, language);
  for (std::size_t at = 0; at < why.entries.size(); ++at) {
    text += "\n  " + writer.line(at + 1, why.entries[at]);
  }
  return text;
}

}  // namespace duhui::api
