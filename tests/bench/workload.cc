#include "tests/bench/workload.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/merge/schema.h"
#include "shared/record/record_edit.h"

namespace duhui::bench {
namespace {

constexpr std::int64_t kTermBegins = 1'756'684'800'000;  // 2025-09-01 in China
constexpr std::uint32_t kSupervisorRank = 2;
constexpr std::size_t kItems = 9;
constexpr std::uint64_t kSupervisors = 60;

// Words, one space apart.
constexpr std::string_view kNouns =
    "教案 板书 作业 试卷 课表 教具 图书 器材 "
    "台账 名册 档案 记录 签字 公章 通知 制度 "
    "预案 流程 清单 标牌 围栏 护栏 门窗 灯管 "
    "插座 线路 水阀 管道 地漏 屋面 墙面 瓷砖 "
    "台阶 扶手 沙坑 跑道 篮架 球网 单杠 垫子 "
    "餐盘 冰柜 砧板 抹布 油烟 食材 米面 蔬菜 "
    "肉类 豆制品 留样盒 温度计 试纸 消毒液 工作服 "
    "健康证 合同 发票 账本 库存 货架 药箱 绷带 "
    "口罩 体温枪 床铺 被褥 衣柜 窗帘 热水 开关 "
    "门锁 钥匙 监控 硬盘 警报器 灭火器 水带 沙桶 "
    "指示牌 应急包 安全帽 警棍 盾牌 登记本 挂图 "
    "展板 橱窗 旗杆 国旗 广播 铃声 投影 电脑 "
    "网线 账号 密码 软件 题库 学案 导学单 评语 "
    "等第 成绩 均分 差异 目标 计划 总结 简报 "
    "照片 录像 方案 经费 预算 凭证 补助 奖状 "
    "荣誉 课题 论文 讲座 教研 备课 听课 评课 "
    "赛课 师徒 轮岗 职称 绩效 考勤 请假 值班 "
    "巡查 晨读 午休 晚修 社团 合唱 书法 剪纸 "
    "陶艺 编程 足球 体操 跳绳 视力 体重 龋齿 "
    "疫苗 心率 情绪 压力 矛盾 纠纷 隐患 死角 "
    "盲区 缺口 短板 亮点 经验 口碑 诉求 意见 "
    "建议 承诺 协议 家访 来信 电话 会议 纪要";
constexpr std::string_view kPlaces =
    "教室 走廊 操场 食堂 后厨 宿舍 厕所 浴室 "
    "仓库 门口 传达室 配电间 锅炉房 实验室 图书馆 "
    "机房 琴房 画室 舞蹈室 体育馆 看台 车棚 花坛 "
    "菜园 水池 楼顶 天井 地下室 电梯 楼梯 办公室 "
    "会议室 档案室 医务室 咨询室 广播室 阅览室 "
    "展厅 隔离间 留样柜 洗碗间 更衣室 晨检处 "
    "接送区 家长屋 校史馆 保健室 活动室 午休室 "
    "后墙 北门 东侧 二楼 三楼 顶层";
constexpr std::string_view kPeople =
    "校长 书记 主任 教师 学生 家长 保安 厨师 "
    "宿管 校医 司机 会计 出纳 班长 组长 教练 "
    "保洁 电工 门卫 干事 园长 保育员 班主任 科任 "
    "实习生 志愿者 委员 代表 新生 毕业生 走读生 "
    "寄宿生 家委 少先队员 团员 辅导员 资料员 "
    "采购员 管理员 值周生";
constexpr std::string_view kVerbs =
    "检查 核对 翻阅 抽取 登记 公示 张贴 更换 "
    "维修 清洗 消毒 摆放 归类 汇总 上报 反馈 "
    "整改 落实 执行 调整 补充 完善 修订 讨论 "
    "审核 批改 讲评 讲解 示范 演示 练习 背诵 "
    "朗读 书写 观察 测量 统计 比对 询问 走访 "
    "约谈 提醒 督促 协调 安排 布置 培训 考核 "
    "评比 表扬 推广 借阅 归还 领取 发放 采购 "
    "验收 存放 封存 销毁 拆除 加固 粉刷 疏通 "
    "清理 巡视 值守 引导 劝阻 陪同 护送 转介 "
    "跟踪 回访 记录 签收 备案 留存 追问 说明 "
    "演练 疏散";
constexpr std::string_view kAdverbs =
    "已经 基本 全部 大多 逐一 及时 按时 定期 "
    "偶尔 经常 尚未 没有 不再 仍然 刚刚 正在 "
    "重新 反复 认真 主动 统一 分批 轮流 单独 "
    "共同 严格 适当 逐步 临时 明显 略微 普遍 "
    "个别 集中 随机 当面 书面 连续 隔天 每周";
constexpr std::string_view kAdjectives =
    "完整 规范 整齐 清楚 齐全 准确 一致 及时 "
    "充足 合理 稳定 活跃 认真 细致 干净 明亮 "
    "安静 宽敞 牢固 新颖 扎实 到位 有序 畅通 "
    "合格 偏少 偏多 偏低 偏高 偏慢 滞后 模糊 "
    "潦草 雷同 缺失 破损 松动 生锈 潮湿 油腻 "
    "拥挤 杂乱 过期 失效 单一 零散 脱节 简单 "
    "笼统 薄弱 起伏 反复 不足 不均 不符 不详";

// What supervisors write again and again.
constexpr std::array kFindings = {
    "记录完整，签字齐全", "与现场核对一致",     "比上学期明显规范",   "缺少上月汇总",
    "有涂改痕迹",         "更新滞后两周",       "责任人不明确",       "公示位置偏僻",
    "个别班级没有落实",   "数据前后不一",       "台账与实物不符",     "学生普遍知晓",
    "教师能说清要求",     "家长反映较好",       "整改尚未到位",       "布局合理、标识清楚",
    "已按通知要求配齐",   "存在过期物品",       "照明偏暗",           "通道堆有杂物",
    "地面湿滑未设提示",   "抽查合格",           "随机访谈回答一致",   "批改及时、有评语",
    "分层设计不够",       "学科之间不平衡",     "低年级执行较松",     "寄宿生意见集中",
    "没有形成闭环",       "制度上墙但执行走样", "特色做法值得推广",   "人员持证上岗",
    "检修标签已过期",     "专人负责、交接清楚", "用词雷同、疑似补写", "只有计划没有小结",
    "经费来源说明不清",   "频次达到规定",       "样品量不足",         "温度记录缺两天",
    "课堂气氛活跃",       "提问面偏窄",         "板书规范",           "多媒体使用过多",
    "作业总量基本得当",   "个别学科超时",       "安全员能现场演示",   "问题清单逐条销号"};
constexpr std::array kActions = {
    "已当场提醒",       "建议本周内补齐",   "请学校书面说明",   "下次随访重点回看",
    "责成总务主任负责", "要求立即清理",     "同意继续观察",     "现场拍照存档",
    "已报责任区汇总",   "请分管副校长牵头", "建议全区交流",     "列入整改台账",
    "限期十日反馈",     "与校长交换了意见", "提交片区会议研究", "转请属地部门协调",
    "纳入学期考核",     "由年级组自查一遍", "请校医复核",       "要求家委会参与监督",
    "建议调整排班",     "追踪到个人",       "张贴新的流程图",   "补做一次演练",
    "完善交接手续",     "对照标准逐项过",   "安排专题培训",     "重新公示七天",
    "更换损坏部件",     "请第三方检测"};
constexpr std::array kSurnames = {"王", "李", "张", "刘", "陈", "杨", "黄", "周",
                                  "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
                                  "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩"};
constexpr std::array kKinds = {"routine", "opening_check", "special", "recheck"};
constexpr std::array kMethods = {"walkthrough", "lesson_observation", "document_review",
                                 "interview",   "questionnaire",      "meeting_attendance"};

const std::vector<std::string>& words_of(std::string_view text) {
  static std::map<std::string_view, std::vector<std::string>> known;
  std::vector<std::string>& words = known[text];
  if (words.empty()) {
    std::istringstream in{std::string(text)};
    for (std::string word; in >> word;) words.push_back(word);
  }
  return words;
}

std::string any(std::string_view text, Random& random) {
  const std::vector<std::string>& words = words_of(text);
  return words[random.below(words.size())];
}

template <std::size_t N>
const char* any(const std::array<const char*, N>& words, Random& random) {
  return words[random.below(N)];
}

std::size_t characters_in(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

/// The first `characters` characters.
std::string cut(const std::string& text, std::size_t characters) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && ++seen > characters) break;
  }
  return text.substr(0, at);
}

std::string date_of(std::uint64_t day) {
  constexpr std::array<std::uint64_t, 4> kDays = {30, 31, 30, 31};
  std::size_t month = 0;
  while (day >= kDays[month]) day -= kDays[month++];
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "2025-%02zu-%02u", month + 9,
                static_cast<unsigned>(day + 1));
  return text.data();
}

std::string numbered(const char* prefix, std::uint64_t n) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%s%03u", prefix, static_cast<unsigned>(n));
  return text.data();
}

Result<Intent> intent_of(const WorkRecord& record, const nlohmann::json& value) {
  const RecordSchema& schema = *Schema::instance().find("visit_record");
  DUHUI_TRY(edit, edit_create(schema, value, {record.person, "2025-10-09T11:40:00+08:00"}));
  Intent intent;
  intent.record = record.id;
  intent.type = schema.rule.type();
  intent.person = record.person;
  intent.rank = kSupervisorRank;
  for (RegisterEdit& write : edit.writes)
    intent.writes.push_back({write.key, std::move(write.value)});
  return intent;
}

}  // namespace

std::string Workload::school_of(std::uint32_t agent) { return numbered("sch-", agent + 1); }

std::string Workload::district() { return "org-430200/org-430202"; }

void Workload::write_registries(const std::string& folder) {
  std::ofstream(folder + "/orgs.json")
      << R"([{"id": "org-430200", "name": "长河市教育局", "kind": "city"},)"
         R"( {"id": "org-430202", "name": "江东区教育督导室", "kind": "district", "parent_id": "org-430200"}])";
  std::ofstream users(folder + "/users.csv");
  users << "id,login,name,role,scope_org_id,supervisor_id,status\n";
  for (std::uint64_t n = 1; n <= kSupervisors; ++n) {
    users << numbered("u-sup-", n) << ",sup." << n << ",督学" << n
          << ",responsible_supervisor,org-430202," << numbered("sup-", n) << ",active\n";
  }
}

std::string Workload::scope_of(std::uint32_t agent) {
  return district() + "/zone-430202-" + std::to_string(agent % 5 + 1) + "/" + school_of(agent);
}

std::string Workload::number(std::uint64_t from, std::uint64_t to) {
  return std::to_string(from + random_.below(to - from));
}

std::string Workload::clause() {
  const auto some = [this](std::string_view words) { return any(words, random_); };
  std::string out;
  switch (random_.below(9)) {
    case 0:
      out = some(kPlaces) + some(kNouns) + some(kAdverbs) + some(kVerbs);
      break;
    case 1:
      out = some(kPeople) + some(kAdverbs) + some(kVerbs) + some(kNouns);
      break;
    case 2:
      out = some(kNouns) + some(kAdjectives) + "，" + some(kNouns) + some(kAdjectives);
      break;
    case 3:
      out = some(kVerbs) + some(kNouns) + number(2, 60) + "处，" + some(kAdjectives);
      break;
    case 4:
      out = any(kSurnames, random_) + some(kPeople) + some(kVerbs) + some(kNouns);
      break;
    case 6:
      out = some(kAdverbs) + some(kVerbs) + some(kPlaces) + some(kNouns);
      break;
    case 7:
      out = some(kPeople) + some(kVerbs) + some(kPlaces) + "，" + some(kAdjectives);
      break;
    case 5:
      out = some(kNouns) + any(kFindings, random_);
      break;
    default:
      out = some(kPlaces) + some(kNouns) + "，" + any(kActions, random_);
      break;
  }
  return out + (random_.below(3) == 0 ? "；" : "。");
}

std::string Workload::text(std::size_t characters) {
  std::string out;
  while (characters_in(out) < characters) out += clause();
  out = cut(out, characters - 1);
  for (const std::string_view mark : {"，", "；", "。"}) {
    if (out.ends_with(mark)) out = cut(out, characters - 2) + any(kSurnames, random_);
  }
  return out + "。";
}

WorkRecord Workload::record(std::uint32_t agent) {
  WorkRecord record;
  const WallTime made{kTermBegins + static_cast<std::int64_t>(++made_) * 331'000};
  record.id = mint_record_id(made, random_);
  const std::uint64_t supervisor = 1 + (agent * 3 + random_.below(3)) % kSupervisors;
  record.person = numbered("u-sup-", supervisor);
  nlohmann::json& value = record.value;
  value["id"] = to_uuid_text(record.id.view());
  value["school_id"] = school_of(agent);
  value["visit_date"] = date_of(random_.below(122));
  value["visit_kind"] = any(kKinds, random_);
  value["visit_mode"] = random_.below(4) == 0 ? "joint" : "drop_in";
  value["period"] = random_.below(2) == 0 ? "am" : "pm";
  value["template_id"] = "TPL_ROUTINE_9";
  value["template_version"] = 1;
  value["participants"] = {{"lead", numbered("sup-", supervisor)}};
  const std::size_t methods = 1 + random_.below(3);
  const std::size_t first = random_.below(kMethods.size());
  for (std::size_t n = 0; n < methods; ++n) {
    value["methods"].push_back(
        {{"method", kMethods[(first + n) % kMethods.size()]}, {"count", 1 + random_.below(9)}});
  }
  for (std::size_t item = 1; item <= kItems; ++item) {
    value["item_answers"]["C" + std::to_string(item)] = {{"value", 1 + random_.below(5)},
                                                         {"remark", text(20 + random_.below(41))}};
  }
  value["summary"][record.person] = text(150);
  std::string problems;
  for (std::uint64_t n = random_.below(4); n > 0; --n) problems += "问题：" + text(26);
  if (!problems.empty()) value["narrative"][record.person] = problems;
  return record;
}

nlohmann::json Workload::change_score(WorkRecord& record) {
  const std::string item = "C" + std::to_string(1 + random_.below(kItems));
  nlohmann::json& answer = record.value["item_answers"][item];
  answer["value"] = 1 + (answer["value"].get<int>() + static_cast<int>(random_.below(4))) % 5;
  return {{"item_answers", {{item, answer}}}};
}

Result<Intent> creating_intent(const WorkRecord& record, std::uint32_t agent) {
  DUHUI_TRY(intent, intent_of(record, record.value));
  intent.creates = true;
  intent.scope = Workload::scope_of(agent);
  return intent;
}

Result<Intent> editing_intent(const WorkRecord& record, const nlohmann::json& fields) {
  return intent_of(record, fields);
}

}  // namespace duhui::bench
