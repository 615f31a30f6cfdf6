#include "load/request_template.h"

#include "ae/base/assert.h"
#include "proto/request_writer.h"

namespace load {
namespace {

constexpr std::string_view kNumber = "__rand__";
constexpr std::string_view kData = "__data__";
constexpr size_t kDigits = 12;

std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  while (true) {
    const size_t begin = command.find_first_not_of(' ');
    if (begin == command.npos) return words;
    const size_t end = std::min(command.find(' ', begin), command.size());
    words.emplace_back(command.substr(begin, end - begin));
    command.remove_prefix(end);
  }
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

RequestTemplate::RequestTemplate(std::string_view command, uint64_t keyspace, size_t data_bytes)
    : keyspace_(keyspace) {
  // A byte that no command line holds marks the digits until the whole is encoded.
  const std::string marks(kDigits, '\x01');
  std::vector<std::string> words = words_of(command);
  AE_ASSERT(!words.empty());
  for (std::string& word : words) {
    replace_all(word, kNumber, marks);
    replace_all(word, kData, std::string(data_bytes, 'x'));
  }
  const std::vector<std::string_view> views(words.begin(), words.end());
  bytes_ = proto::encode_request(views);
  for (size_t at = 0; (at = bytes_.find(marks, at)) != bytes_.npos; at += kDigits) {
    numbers_.push_back(at);
  }
}

ae::Bytes RequestTemplate::next(ae::Prng& random) {
  for (const size_t at : numbers_) {
    uint64_t number = random.below(keyspace_);
    for (size_t digit = kDigits; digit-- > 0; number /= 10) {
      bytes_[at + digit] = char('0' + number % 10);
    }
  }
  return bytes_;
}

}  // namespace load
