#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pickle.hpp"

namespace mixop::cifar {

/// The stack machine behind Pickle: reads opcodes into nodes.
class PickleReader {
 public:
  /// `decoded` keeps the texts that are no bytes of the file.
  PickleReader(const std::filesystem::path& path, std::span<const std::uint8_t> bytes, std::deque<PickleNode>& nodes,
               std::deque<std::string>& decoded)
      : path_(path), bytes_(bytes), nodes_(nodes), decoded_(decoded) {}

  /// Reads up to STOP, which must end the file, and returns the top value.
  std::uint32_t read();

 private:
  using Kind = PickleNode::Kind;

  [[noreturn]] void fail(const std::string& what) const;

  // One group of opcodes each; false: not of this group.
  bool scalar(std::uint8_t op);
  bool line_of_text(std::uint8_t op);
  bool text(std::uint8_t op);
  bool container(std::uint8_t op);
  bool memo(std::uint8_t op);
  bool object(std::uint8_t op);

  std::string_view take(std::uint64_t count);
  std::uint64_t little_endian(int width);
  std::string_view line(std::size_t longest);
  std::int64_t decimal(std::string_view digits);
  void read_protocol();
  void push_int();
  void push_long(std::uint64_t bytes);

  std::uint32_t make(Kind kind, std::int64_t number = 0, std::string_view text = {});
  void push(std::uint32_t node) { stack_.push_back(node); }
  std::uint32_t pop();
  std::uint32_t top_of(Kind kind, const char* expected) const;
  std::vector<std::uint32_t> pop_to_mark();
  void pop_tuple(std::size_t count);
  void add_items(Kind kind, std::vector<std::uint32_t> items);
  void remember(std::uint64_t slot);
  void recall(std::uint64_t slot);
  void push_decoded(std::optional<std::string> text);
  void push_global(std::string_view module, std::string_view name);
  void reduce();
  bool reduce_array(std::string_view callee, const std::vector<std::uint32_t>& arguments);
  bool reduce_value(std::string_view callee, const std::vector<std::uint32_t>& arguments);
  void build();
  bool is_integer(std::uint32_t node, std::int64_t value) const;

  const std::filesystem::path& path_;
  std::span<const std::uint8_t> bytes_;
  std::deque<PickleNode>& nodes_;
  std::deque<std::string>& decoded_;
  std::uint64_t decoded_bytes_ = 0;
  std::size_t offset_ = 0;     // of the next byte
  std::size_t op_offset_ = 0;  // of the opcode in work
  std::uint8_t op_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, std::uint32_t> memo_;
};

}  // namespace mixop::cifar
