#include "server/acl/selector.h"

#include <algorithm>
#include <utility>

#include "server/config/text.h"
#include "server/db/glob.h"

namespace millrace::acl {
namespace {

std::vector<std::string> key_words(const Selector& selector) {
  if (selector.all_keys) return {"~*"};
  std::vector<std::string> words;
  for (const KeyPattern& key : selector.keys) words.push_back(key.text());
  return words;
}

std::vector<std::string> channel_words(const Selector& selector) {
  if (selector.all_channels) return {"&*"};
  std::vector<std::string> words;
  for (const std::string& pattern : selector.channels) words.push_back("&" + pattern);
  return words;
}

}  // namespace

std::string KeyPattern::text() const {
  if (use == kReadKey) return "%R~" + pattern;
  if (use == kWriteKey) return "%W~" + pattern;
  // "~*" would be read back as all keys, after which no pattern may follow.
  return (pattern == "*" ? "%RW~" : "~") + pattern;
}

void Selector::allow_all_keys() {
  all_keys = true;
  keys.clear();
}

void Selector::allow_all_channels() {
  all_channels = true;
  channels.clear();
}

void Selector::forget_keys() {
  all_keys = false;
  keys.clear();
}

void Selector::forget_channels() {
  all_channels = false;
  channels.clear();
}

void Selector::allow_keys(std::string_view pattern, KeyUse use) {
  const auto known = std::find_if(keys.begin(), keys.end(),
                                  [&](const KeyPattern& key) { return key.pattern == pattern; });
  if (known != keys.end()) {
    known->use |= use;
  } else {
    keys.push_back({std::string(pattern), use});
  }
}

void Selector::allow_channels(std::string_view pattern) {
  if (!allows_channel_pattern(pattern)) channels.emplace_back(pattern);
}

bool Selector::allows_key(std::string_view key, KeyUse use) const {
  if (all_keys) return true;
  return std::any_of(keys.begin(), keys.end(), [&](const KeyPattern& allowed) {
    return (allowed.use & use) == use && glob_matches(allowed.pattern, key);
  });
}

bool Selector::allows_any_key(KeyUse use) const {
  if (all_keys) return true;
  return std::any_of(keys.begin(), keys.end(), [&](const KeyPattern& allowed) {
    return (allowed.use & use) == use && allowed.pattern == "*";
  });
}

bool Selector::allows_channel(std::string_view channel) const {
  if (all_channels) return true;
  return std::any_of(channels.begin(), channels.end(),
                     [&](const std::string& pattern) { return glob_matches(pattern, channel); });
}

bool Selector::allows_channel_pattern(std::string_view pattern) const {
  return all_channels || std::find(channels.begin(), channels.end(), pattern) != channels.end();
}

std::string Selector::keys_text() const {
  return joined(key_words(*this), " ");
}

std::string Selector::channels_text() const {
  return joined(channel_words(*this), " ");
}

std::vector<std::string> Selector::words() const {
  std::vector<std::string> words = key_words(*this);
  if (!all_channels) words.emplace_back("resetchannels");
  for (std::string& word : channel_words(*this)) words.push_back(std::move(word));
  for (std::string& word : commands.words()) words.push_back(std::move(word));
  return words;
}

}  // namespace millrace::acl
