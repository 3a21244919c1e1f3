// Trains the zstd dictionary that is shipped with the schema on the sample term in tests/data, and
// says what it wins on records that it was not trained on. Run by hand when a new one is needed;
// one that was shipped never changes (shared/sync/dictionary.h).
//
//   train_dictionary OUT.zdict

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <zdict.h>
#include <zstd.h>

#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/merge/effective_time.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/merge/schema.h"
#include "shared/record/record_edit.h"
#include "shared/sync/op_builder.h"
#include "tests/shared/record/sample_data.h"

namespace duhui {
namespace {

constexpr std::size_t kDictionaryBytesMax = 64 << 10;
constexpr int kLevel = 3;
constexpr std::uint32_t kHeldOut = 5;  // every fifth record is not trained on

/// Ops as they stand in a batch payload.
struct Samples {
  std::string bytes;
  std::vector<std::size_t> sizes;

  void add(const sync::v1::Op& op) {
    const std::string text = op.SerializeAsString();
    const std::size_t before = bytes.size();
    append_varint(bytes, text.size());
    bytes += text;
    sizes.push_back(bytes.size() - before);
  }
};

std::string scope_of(const nlohmann::json& value) {
  const std::string district = "org-430200/org-430202";
  const auto school = value.find("school_id");
  if (school == value.end() || !school->is_string()) return district;
  return district + "/zone-430202-1/" + school->get<std::string>();
}

/// A device on which one person after another saves.
class Writer {
 public:
  explicit Writer(Samples& out) : random_(20250901), origin_(Origin::random(random_)), out_(out) {}

  void create(const RecordSchema& schema, const nlohmann::json& value) {
    const RecordId id = mint_record_id(now_, random_);
    const std::string person = person_of(value);
    const auto whole = edit_create(schema, value, {person, "2025-10-09T11:40:00+08:00"});
    if (!whole) return;
    RecordState state;
    save(state, schema, id, person, scope_of(value), *whole);
    // Then parts of it again, as people do who correct a value.
    std::uint32_t corrections = 0;
    for (const RegisterEdit& write : whole->writes) {
      if (random_.below(4) != 0 || ++corrections > 3) continue;
      RecordEdit edit;
      edit.writes.push_back(write);
      save(state, schema, id, person, {}, edit);
    }
  }

 private:
  static std::string person_of(const nlohmann::json& value) {
    for (const char* name : {"created_by", "by", "submitted_by", "registered_by"}) {
      if (const auto at = value.find(name); at != value.end() && at->is_string()) return *at;
    }
    return "u-sup-001";
  }

  void save(RecordState& state,
            const RecordSchema& schema,
            const RecordId& id,
            const std::string& person,
            const std::string& scope,
            const RecordEdit& edit) {
    Intent intent;
    intent.record = id;
    intent.type = schema.rule.type();
    intent.creates = !scope.empty();
    intent.scope = scope;
    intent.person = person;
    intent.rank = 2;
    intent.sees_all = edit.sees_all;
    for (const RegisterEdit& write : edit.writes) intent.writes.push_back({write.key, write.value});
    const Dot dot{origin_, ++seq_};
    auto op = build_op(intent, state, dot);
    if (!op) return;
    now_ = now_ + milliseconds(static_cast<std::int64_t>(20'000 + random_.below(600'000)));
    const ClockReading clock{.wall = now_, .monotonic = {now_.ms - 1'756'000'000'000}, .boot = 3};
    *op->mutable_time() = make_evidence(hybrid_.tick(now_), clock, now_ - minutes(7));
    static_cast<void>(state.apply(dot, *op, OpStamp{}).has_value());
    out_.add(*op);
  }

  SeededRandom random_;
  Origin origin_;
  std::uint64_t seq_ = 0;
  WallTime now_{1'756'684'800'000};
  HybridClock hybrid_{0};
  Samples& out_;
};

std::string train(const Samples& samples) {
  std::string dictionary(kDictionaryBytesMax, '\0');
  const std::size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.bytes.data(),
                            samples.sizes.data(), static_cast<unsigned>(samples.sizes.size()));
  if (ZDICT_isError(size) != 0) {
    std::fprintf(stderr, "%s\n", ZDICT_getErrorName(size));
    std::exit(1);
  }
  dictionary.resize(size);
  return dictionary;
}

/// Packed bytes when `at_once` ops travel together.
std::size_t packed(const Samples& samples, std::size_t at_once, const std::string& dictionary) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::size_t total = 0;
  std::size_t from = 0;
  for (std::size_t n = 0; n < samples.sizes.size(); n += at_once) {
    std::size_t size = 0;
    for (std::size_t m = n; m < std::min(n + at_once, samples.sizes.size()); ++m)
      size += samples.sizes[m];
    std::string out(ZSTD_compressBound(size), '\0');
    total += ZSTD_compress_usingDict(context, out.data(), out.size(), samples.bytes.data() + from,
                                     size, dictionary.data(), dictionary.size(), kLevel);
    from += size;
  }
  ZSTD_freeCCtx(context);
  return total;
}

int run(const char* file) {
  Samples training;
  Samples other;
  Writer trained(training);
  Writer held_out(other);
  std::uint32_t count = 0;
  for (const char* type :
       {"visit_record", "problem", "rectification_notice", "rectification_response", "recheck",
        "task", "evaluation", "escalation"}) {
    for (const testing::SampleFile& sample : testing::sample_files()) {
      if (sample.type != type) continue;
      const RecordSchema& schema = *Schema::instance().find(type);
      for (const nlohmann::json& value : testing::sample_records(sample)) {
        (++count % kHeldOut == 0 ? held_out : trained).create(schema, value);
      }
    }
  }
  const std::string dictionary = train(training);
  std::ofstream(file, std::ios::binary) << dictionary;
  std::printf("trained on %zu ops, %zu bytes; the dictionary has %zu bytes\n",
              training.sizes.size(), training.bytes.size(), dictionary.size());
  std::printf("%zu other ops, %zu bytes\n%8s %12s %12s\n", other.sizes.size(), other.bytes.size(),
              "together", "without", "with");
  for (const std::size_t at_once : {1, 4, 20, 100}) {
    const auto ratio = [&](const std::string& with) {
      return static_cast<double>(packed(other, at_once, with)) /
             static_cast<double>(other.bytes.size());
    };
    std::printf("%8zu %11.1f%% %11.1f%%\n", at_once, 100 * ratio({}), 100 * ratio(dictionary));
  }
  return 0;
}

}  // namespace
}  // namespace duhui

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "train_dictionary OUT.zdict\n");
    return 2;
  }
  return duhui::run(argv[1]);
}
