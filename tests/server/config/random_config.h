// Configurations nobody would write, for properties that must hold for each.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "ae/base/assert.h"
#include "ae/base/prng.h"
#include "server/config/directives.h"

namespace millrace {

class RandomConfig {
 public:
  explicit RandomConfig(uint64_t seed) : random_(seed) {}

  // About every second directive has another value than before.
  void change(Config& config) {
    for (const Directive& directive : directives()) {
      if (random_.one_in(2)) change(directive, config);
    }
  }

  void change(const Directive& directive, Config& config) {
    if (directive.is_absent()) return;
    const std::vector<std::string> words = words_for(directive);
    const Refusal refusal = parse_value(directive, config, words);
    AE_ASSERT(!refusal);
  }

  // Any bytes: spaces, quotes, newlines and NUL are what a file must survive.
  std::string text() {
    std::string bytes(random_.below(12), '\0');
    for (char& c : bytes)
      c = static_cast<char>(random_.one_in(2) ? random_() : "a '\"\\#\n"[random_() % 8]);
    return bytes;
  }

 private:
  std::vector<std::string> words_for(const Directive& directive) {
    if (std::holds_alternative<SpecialField>(directive.field)) return special(directive.name);
    if (directive.name == "proc-title-template") return {"a {port} " + without(text(), "{}")};
    if (const auto* integer = std::get_if<IntegerField>(&directive.field))
      return {number(*integer)};
    if (const auto* names = std::get_if<EnumField>(&directive.field)) {
      return {std::string(names->names[random_.below(names->names.size())].name)};
    }
    if (std::holds_alternative<BoolField>(directive.field))
      return {random_.one_in(2) ? "yes" : "no"};
    if (is_file_name(directive.name)) return {without(text(), "/") + "x"};
    return {text()};
  }

  static bool is_file_name(std::string_view name) {
    return name == "dbfilename" || name == "appendfilename" || name == "appenddirname";
  }

  std::string number(const IntegerField& field) {
    int64_t value = random_.one_in(3) ? field.max : field.min;
    if (random_.one_in(2)) {
      const auto span = static_cast<uint64_t>(field.max) - static_cast<uint64_t>(field.min);
      const uint64_t offset = random_() % (span == UINT64_MAX ? span : span + 1);
      value = static_cast<int64_t>(static_cast<uint64_t>(field.min) + offset);
    }
    if (field.notation != Notation::kOctal) return std::to_string(value);
    char octal[32];
    std::snprintf(octal, sizeof octal, "%lo", static_cast<unsigned long>(value));
    return octal;
  }

  std::string small_number() { return std::to_string(random_() >> (1 + random_.below(63))); }

  std::vector<std::string> special(std::string_view name) {
    std::vector<std::string> words;
    if (name == "bind" || name == "admin-bind") {
      for (uint64_t i = random_.below(5); i > 0; --i) words.push_back(text() + "x");
    } else if (name == "client-output-buffer-limit") {
      const std::array<const char*, 3> kClasses = {"normal", "replica", "pubsub"};
      words = {kClasses[random_.below(3)], small_number(), small_number(), small_number()};
    } else if (name == "notify-keyspace-events") {
      words = {""};
      for (uint64_t i = random_.below(6); i > 0; --i)
        words[0] += "Ag$lshzxeKEtmdn"[random_.below(15)];
    } else if (name == "latency-tracking-info-percentiles") {
      for (uint64_t i = random_.below(5); i > 0; --i)
        words.push_back(std::to_string(100 * random_.fraction()));
    } else if (name == "user") {  // each name once
      words = {"user" + std::to_string(users_++) + text(), text()};
    } else if (name == "rename-command") {
      words = {text(), text()};
    } else if (name == "save") {
      for (uint64_t i = 2 * random_.below(3); i > 0; --i)
        words.push_back(std::to_string(1 + random_.below(1'000'000)));
    } else if (name == "maxmemory-clients") {
      words = {random_.one_in(2) ? std::to_string(random_.below(101)) + "%" : small_number()};
    } else if (name == "oom-score-adj-values") {
      for (int i = 0; i < 3; ++i)
        words.push_back(std::to_string(int64_t(random_.below(4001)) - 2000));
    } else if (name == "replicaof") {
      words = {text() + "x", std::to_string(random_.below(65536))};
    } else {
      AE_ASSERT(name == "dir");
      words = {"/tmp/" + text() + "x"};
      std::erase(words[0], '\0');
    }
    if (words.empty()) words.emplace_back();
    return words;
  }

  static std::string without(std::string bytes, std::string_view some) {
    std::erase_if(bytes, [some](char c) { return some.find(c) != some.npos; });
    return bytes;
  }

  ae::Prng random_;
  uint64_t users_ = 0;
};

}  // namespace millrace
