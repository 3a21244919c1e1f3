#include <cstring>
#include <utility>

#include "shared/sync/column_paths.h"
#include "shared/sync/op_columns.h"

namespace duhui {
namespace {

using columns::Mode;

/// A column on its way back into ops.
struct Reading {
  std::uint32_t type = 0;
  Mode mode = Mode::plain;
  std::string_view first;
  std::string_view second;
  std::string_view random;
  std::uint64_t previous = 0;
  std::vector<std::string> ids;
};

Error torn(const char* what) { return {ErrorCode::corrupt_data, std::string("columns: ") + what}; }

std::optional<std::string_view> take(std::string_view& from, std::uint64_t size) {
  if (size > from.size()) return std::nullopt;
  const std::string_view front = from.substr(0, static_cast<std::size_t>(size));
  from.remove_prefix(front.size());
  return front;
}

/// Puts ops together again.
class Joiner {
 public:
  Joiner(std::string_view fields, std::string_view random, std::size_t raw_bytes)
      : fields_(fields), random_(random), raw_bytes_(raw_bytes) {}

  Result<std::string> join(std::uint32_t count) {
    DUHUI_CHECK_OK(read_shapes(count));
    std::vector<std::uint64_t> numbers;
    numbers.reserve(count);
    for (std::uint32_t n = 0; n < count; ++n) {
      const auto number = take_varint(fields_);
      if (!number || *number >= shapes_.size()) return torn("an op without a shape");
      numbers.push_back(*number);
    }
    DUHUI_CHECK_OK(read_columns());
    out_.resize(raw_bytes_);
    for (const std::uint64_t number : numbers) DUHUI_CHECK_OK(append_op(shapes_[number]));
    bool used_up = fields_.empty() && random_.empty() && size_ == raw_bytes_;
    for (const Reading& column : columns_)
      used_up = used_up && column.first.empty() && column.second.empty();
    if (!used_up) return torn("lengths do not match");
    return std::move(out_);
  }

 private:
  struct Token {
    std::uint32_t tag = 0;
    std::uint32_t column = 0;  // of a value
  };
  using Shape = std::vector<Token>;

  Status read_shapes(std::uint32_t count) {
    const auto shapes = take_varint(fields_);
    if (!shapes || *shapes > count) return torn("more shapes than ops");
    for (std::uint64_t n = 0; n < *shapes; ++n) {
      const auto size = take_varint(fields_);
      const auto text = size ? take(fields_, *size) : std::nullopt;
      if (!text) return torn("a shape is cut off");
      DUHUI_TRY(shape, read_shape(*text));
      shapes_.push_back(std::move(shape));
    }
    return Done{};
  }

  Result<Shape> read_shape(std::string_view text) {
    Shape shape;
    std::vector<std::uint32_t> nodes{columns::Paths::kRoot};
    while (!text.empty()) {
      const auto read = take_varint(text);
      if (!read || *read > UINT32_MAX || ++tokens_ > columns::kTokensMax)
        return torn("a shape too large");
      Token token{.tag = static_cast<std::uint32_t>(*read)};
      switch (columns::type_of(token.tag)) {
        case columns::kBegin:
          if (nodes.size() >= columns::kDepthMax) return torn("a shape too deep");
          nodes.push_back(paths_.inner(nodes.back(), token.tag));
          break;
        case columns::kEnd:
          if (nodes.size() == 1) return torn("a shape that ends twice");
          nodes.pop_back();
          break;
        case columns::kVarint:
        case columns::kFixed64:
        case columns::kFixed32:
        case columns::kBytes:
          token.column = paths_.column(nodes.back(), token.tag);
          if (token.column == columns_.size())
            columns_.emplace_back().type = columns::type_of(token.tag);
          break;
        default:
          return torn("a shape of unknown parts");
      }
      shape.push_back(token);
    }
    if (nodes.size() != 1) return torn("a shape without its end");
    return shape;
  }

  Status read_columns() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes;
    for (Reading& column : columns_) {
      const auto mode = take_varint(fields_);
      const auto first = take_varint(fields_);
      const bool texts = column.type == columns::kBytes;
      const auto second = texts ? take_varint(fields_) : std::uint64_t{0};
      const Mode other = texts ? Mode::ids : Mode::deltas;
      if (!mode || !first || !second || (*mode != 0 && *mode != static_cast<std::uint64_t>(other)))
        return torn("a column of unknown kind");
      column.mode = *mode == 0 ? Mode::plain : other;
      sizes.emplace_back(*first, *second);
    }
    for (std::size_t n = 0; n < columns_.size(); ++n) {
      const auto first = take(fields_, sizes[n].first);
      const auto second = first ? take(fields_, sizes[n].second) : std::nullopt;
      if (!second) return torn("a column is cut off");
      columns_[n].first = *first;
      columns_[n].second = *second;
      if (columns_[n].mode == Mode::ids) DUHUI_CHECK_OK(take_random(columns_[n]));
    }
    return Done{};
  }

  /// The column's share: a part for every id that is new in it.
  Status take_random(Reading& column) {
    std::uint64_t fresh = 0;
    for (std::string_view rest = column.first; !rest.empty();) {
      const auto ago = take_varint(rest);
      if (!ago) return torn("an id is missing");
      fresh += *ago == 0 ? 1 : 0;
    }
    const auto share = take(random_, fresh * columns::kIdRandomBytes);
    if (!share) return torn("ids are cut off");
    column.random = *share;
    return Done{};
  }

  Status append_op(const Shape& shape) {
    DUHUI_CHECK_OK(begin());
    for (const Token& token : shape) {
      switch (columns::type_of(token.tag)) {
        case columns::kBegin:
          DUHUI_CHECK_OK(put_number(columns::tag_of(token.tag >> 3, columns::kBytes)));
          DUHUI_CHECK_OK(begin());
          break;
        case columns::kEnd:
          DUHUI_CHECK_OK(end());
          break;
        default:
          DUHUI_CHECK_OK(put_number(token.tag));
          DUHUI_CHECK_OK(append_value(columns_[token.column]));
          break;
      }
    }
    return end();
  }

  /// Something with its length in front begins; one byte is left for the length.
  Status begin() {
    open_.push_back(size_);
    return put({"", 1});
  }

  Status end() {
    const std::size_t start = open_.back();
    open_.pop_back();
    const std::size_t length = size_ - start - 1;
    if (length < 0x80) {
      out_[start] = static_cast<char>(length);
      return Done{};
    }
    std::string written;
    append_varint(written, length);
    DUHUI_CHECK_OK(put(std::string_view(written).substr(1)));  // room
    std::memmove(&out_[start + written.size()], &out_[start + 1], length);
    std::memcpy(&out_[start], written.data(), written.size());
    return Done{};
  }

  Status put(std::string_view bytes) {
    if (bytes.size() > raw_bytes_ - size_) return torn("more than announced");
    std::memcpy(&out_[size_], bytes.data(), bytes.size());
    size_ += bytes.size();
    return Done{};
  }

  Status put_number(std::uint64_t value) {
    if (value < 0x80) {
      const char byte = static_cast<char>(value);
      return put({&byte, 1});
    }
    number_.clear();
    append_varint(number_, value);
    return put(number_);
  }

  Status append_value(Reading& column) {
    if (column.type == columns::kBytes) {
      return column.mode == Mode::ids ? append_id(column) : append_text(column);
    }
    if (column.mode == Mode::plain && column.type != columns::kVarint) {
      const auto bytes = take(column.first, columns::fixed_size(column.type));
      return bytes ? put(*bytes) : torn("a value is missing");
    }
    const auto read = columns::take_number(column.first);
    if (!read) return torn("a value is missing");
    column.previous =
        column.mode == Mode::plain ? *read : column.previous + columns::unzigzag(*read);
    if (column.type == columns::kVarint) return put_number(column.previous);
    number_.clear();
    columns::append_little_endian(number_, column.previous, columns::fixed_size(column.type));
    return put(number_);
  }

  Status append_text(Reading& column) {
    const auto size = columns::take_number(column.first);
    const auto text = size ? take(column.second, *size) : std::nullopt;
    if (!text) return torn("a text is missing");
    DUHUI_CHECK_OK(put_number(text->size()));
    return put(*text);
  }

  Status append_id(Reading& column) {
    const auto ago = columns::take_number(column.first);
    if (!ago || *ago > column.ids.size()) return torn("an id is missing");
    if (*ago == 0) {
      const auto difference = columns::take_number(column.second);
      const auto rest = take(column.random, columns::kIdRandomBytes);
      if (!difference || !rest) return torn("an id is missing");
      column.previous += columns::unzigzag(*difference);
      std::string id;
      for (std::size_t n = columns::kIdTimeBytes; n > 0; --n)
        id.push_back(static_cast<char>(column.previous >> (8 * (n - 1)) & 0xff));
      id.append(*rest);
      column.ids.push_back(std::move(id));
    }
    DUHUI_CHECK_OK(put_number(columns::kIdBytes));
    return put(column.ids[column.ids.size() - (*ago == 0 ? 1 : *ago)]);
  }

  std::string_view fields_;
  std::string_view random_;
  const std::size_t raw_bytes_;

  columns::Paths paths_;
  std::vector<Shape> shapes_;
  std::vector<Reading> columns_;
  std::size_t tokens_ = 0;
  std::vector<std::size_t> open_;  // where the contents of open messages begin in out_
  std::string number_;
  std::string out_;       // raw_bytes_ long
  std::size_t size_ = 0;  // of it, how much is there
};

}  // namespace

Result<std::string> from_columns(std::string_view fields,
                                 std::string_view random,
                                 std::uint32_t count,
                                 std::uint32_t raw_bytes) {
  return Joiner(fields, random, raw_bytes).join(count);
}

}  // namespace duhui
