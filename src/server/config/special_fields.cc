#include "server/config/special_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "ae/base/decimal.h"
#include "server/config/memory_size.h"
#include "server/config/text.h"

namespace millrace {
namespace {

// --- bind

// Redis' limit. Each address is a listener, hence a descriptor.
constexpr size_t kMaxBindAddresses = 16;

using Addresses = std::vector<std::string>;

template <Addresses Config::*kMember>
Refusal parse_addresses(Config& config, Words words) {
  if (words.size() > kMaxBindAddresses) return "Too many bind addresses specified.";
  Addresses& addresses = config.*kMember;
  addresses.clear();
  if (words.size() == 1 && words[0].empty()) return std::nullopt;  // bind "": no TCP listener
  addresses.assign(words.begin(), words.end());
  return std::nullopt;
}

template <Addresses Config::*kMember>
std::string print_addresses(const Config& config) {
  return joined(config.*kMember, " ");
}

template <Addresses Config::*kMember>
std::vector<std::string> address_lines(const Config& config) {
  if ((config.*kMember).empty()) return {"\"\""};
  std::vector<std::string> words;
  for (const std::string& address : config.*kMember) words.push_back(quoted_word(address));
  return {joined(words, " ")};
}

template <Addresses Config::*kMember>
constexpr SpecialField addresses_field() {
  return {parse_addresses<kMember>, print_addresses<kMember>, address_lines<kMember>};
}

// --- client-output-buffer-limit

constexpr size_t kWordsPerLimit = 4;  // class, hard, soft, seconds

std::optional<ClientClass> parse_client_class(std::string_view word) {
  if (equal_ignoring_case(word, "normal")) return ClientClass::kNormal;
  if (equal_ignoring_case(word, "replica")) return ClientClass::kReplica;
  if (equal_ignoring_case(word, "slave")) return ClientClass::kReplica;
  if (equal_ignoring_case(word, "pubsub")) return ClientClass::kPubSub;
  return std::nullopt;
}

std::optional<OutputBufferLimit> parse_limit(Words words) {
  const std::optional<int64_t> hard = parse_memory_size(words[0]);
  const std::optional<int64_t> soft = parse_memory_size(words[1]);
  const std::optional<int64_t> seconds = ae::parse_int64(words[2]);
  if (!hard || !soft || !seconds || *seconds < 0) return std::nullopt;
  return OutputBufferLimit{static_cast<uint64_t>(*hard), static_cast<uint64_t>(*soft), *seconds};
}

// Classes that are not named keep their limits.
Refusal parse_output_limits(Config& config, Words words) {
  if (words.size() % kWordsPerLimit != 0) {
    return "Wrong number of arguments in buffer limit configuration.";
  }
  auto limits = config.client_output_buffer_limit;
  for (size_t i = 0; i < words.size(); i += kWordsPerLimit) {
    const std::optional<ClientClass> client_class = parse_client_class(words[i]);
    if (!client_class) return "Invalid client class specified in buffer limit configuration.";
    const std::optional<OutputBufferLimit> limit = parse_limit(words.subspan(i + 1, 3));
    if (!limit) return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    limits[static_cast<size_t>(*client_class)] = *limit;
  }
  config.client_output_buffer_limit = limits;
  return std::nullopt;
}

// "slave" is what CONFIG GET of every Redis says; clients look for it.
std::string print_output_limits(const Config& config) {
  constexpr std::array<std::string_view, kClientClasses> kShown = {"normal", "slave", "pubsub"};
  std::vector<std::string> classes;
  for (size_t i = 0; i < kClientClasses; ++i) {
    const OutputBufferLimit& limit = config.client_output_buffer_limit[i];
    classes.push_back(
        fmt::format("{} {} {} {}", kShown[i], limit.hard_bytes, limit.soft_bytes, limit.soft_s));
  }
  return joined(classes, " ");
}

std::vector<std::string> output_limit_lines(const Config& config) {
  constexpr std::array<std::string_view, kClientClasses> kWritten = {"normal", "replica", "pubsub"};
  std::vector<std::string> lines;
  for (size_t i = 0; i < kClientClasses; ++i) {
    const OutputBufferLimit& limit = config.client_output_buffer_limit[i];
    lines.push_back(fmt::format(
        "{} {} {} {}", kWritten[i], format_memory_size(static_cast<int64_t>(limit.hard_bytes)),
        format_memory_size(static_cast<int64_t>(limit.soft_bytes)), limit.soft_s));
  }
  return lines;
}

// --- notify-keyspace-events

struct EventLetter {
  char letter;
  uint32_t bits;
};

// In the order CONFIG GET prints them. 'A' stands for all classes and comes in their place.
constexpr std::array<EventLetter, 10> kClassLetters = {{
    {'g', keyspace_events::kGeneric},
    {'$', keyspace_events::kString},
    {'l', keyspace_events::kList},
    {'s', keyspace_events::kSet},
    {'h', keyspace_events::kHash},
    {'z', keyspace_events::kSortedSet},
    {'x', keyspace_events::kExpired},
    {'e', keyspace_events::kEvicted},
    {'t', keyspace_events::kStream},
    {'d', keyspace_events::kModule},
}};
constexpr std::array<EventLetter, 4> kOtherLetters = {{
    {'n', keyspace_events::kNew},
    {'K', keyspace_events::kKeyspace},
    {'E', keyspace_events::kKeyevent},
    {'m', keyspace_events::kKeyMiss},
}};

std::optional<uint32_t> event_bits(char letter) {
  if (letter == 'A') return keyspace_events::kAll;
  for (const EventLetter& known : kClassLetters) {
    if (known.letter == letter) return known.bits;
  }
  for (const EventLetter& known : kOtherLetters) {
    if (known.letter == letter) return known.bits;
  }
  return std::nullopt;
}

Refusal parse_keyspace_events(Config& config, Words words) {
  uint32_t bits = 0;
  for (const char letter : words[0]) {
    const std::optional<uint32_t> more = event_bits(letter);
    if (!more) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    bits |= *more;
  }
  config.notify_keyspace_events = bits;
  return std::nullopt;
}

void append_letters(std::string& out, std::span<const EventLetter> letters, uint32_t bits) {
  for (const EventLetter& known : letters) {
    if ((bits & known.bits) != 0) out.push_back(known.letter);
  }
}

// Redis forgets the 'n' beside an 'A', and so loses it in a rewrite; here it is shown.
std::string print_keyspace_events(const Config& config) {
  const uint32_t bits = config.notify_keyspace_events;
  std::string out;
  if ((bits & keyspace_events::kAll) == keyspace_events::kAll) {
    out.push_back('A');
  } else {
    append_letters(out, kClassLetters, bits);
  }
  append_letters(out, kOtherLetters, bits);
  return out;
}

std::vector<std::string> keyspace_event_lines(const Config& config) {
  return {quoted_word(print_keyspace_events(config))};
}

// --- maxmemory-clients

constexpr int64_t kMostPercent = 100;

Refusal parse_maxmemory_clients(Config& config, Words words) {
  if (words.size() != 1) return "wrong number of arguments";
  std::string_view word = words[0];
  if (word.ends_with('%')) {
    word.remove_suffix(1);
    const std::optional<int64_t> percent = ae::parse_int64(word);
    if (!percent || *percent < 0) return "argument must be a memory or percent value";
    if (*percent > kMostPercent) return "percentage argument must be less or equal to 100";
    config.maxmemory_clients = -*percent;
    return std::nullopt;
  }
  const std::optional<int64_t> bytes = parse_memory_size(word);
  if (!bytes) return "argument must be a memory or percent value";
  config.maxmemory_clients = *bytes;
  return std::nullopt;
}

std::string print_maxmemory_clients(const Config& config) {
  if (config.maxmemory_clients < 0) return fmt::format("{}%", -config.maxmemory_clients);
  return fmt::format("{}", config.maxmemory_clients);
}

std::vector<std::string> maxmemory_clients_lines(const Config& config) {
  return {print_maxmemory_clients(config)};
}

// --- latency-tracking-info-percentiles

// INFO prints a field per percentile and command; more than these are a mistake.
constexpr size_t kMaxPercentiles = 64;

Refusal parse_percentiles(Config& config, Words words) {
  if (words.size() > kMaxPercentiles) return "Too many latency-tracking-info-percentiles";
  std::vector<double> percentiles;
  const bool none = words.size() == 1 && words[0].empty();
  for (const std::string& word : none ? Words{} : words) {
    const std::optional<double> value = ae::parse_double(word);
    if (!value) return "Invalid latency-tracking-info-percentiles parameters";
    if (*value < 0 || *value > 100) {
      return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
    }
    percentiles.push_back(*value);
  }
  config.latency_tracking_info_percentiles = std::move(percentiles);
  return std::nullopt;
}

std::string print_percentiles(const Config& config) {
  std::vector<std::string> shown;
  for (const double value : config.latency_tracking_info_percentiles) {
    shown.push_back(fmt::format("{:g}", value));
  }
  return joined(shown, " ");
}

std::vector<std::string> percentile_lines(const Config& config) {
  if (config.latency_tracking_info_percentiles.empty()) return {"\"\""};
  std::vector<std::string> exact;
  for (const double value : config.latency_tracking_info_percentiles) {
    char text[ae::kMaxDoubleChars];
    exact.emplace_back(text, ae::format_double(value, text));
  }
  return {joined(exact, " ")};
}

// --- dir

// Absolute, so that a later change of the working directory does not change what it means.
Refusal parse_dir(Config& config, Words words) {
  if (words[0].empty()) return "dir can't be empty";
  const std::filesystem::path joined_path = std::filesystem::path(config.dir) / words[0];
  std::string normal = joined_path.lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  config.dir = std::move(normal);
  return std::nullopt;
}

std::string print_dir(const Config& config) {
  return config.dir;
}

std::vector<std::string> dir_lines(const Config& config) {
  return {quoted_word(config.dir)};
}

// --- user

std::string quoted_words(Words words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(quoted_word(word));
  return joined(quoted, " ");
}

std::string name_in(std::string_view user_line) {
  const auto words = split_words(user_line);
  return words && !words->empty() ? words->front() : std::string();
}

Refusal parse_user(Config& config, Words words) {
  const auto same_name = [&](const std::string& line) { return name_in(line) == words[0]; };
  if (std::ranges::any_of(config.users, same_name))
    return "Duplicate user found. A user can only be defined once in config files";
  config.users.push_back(quoted_words(words));
  return std::nullopt;
}

std::string print_users(const Config& config) {
  return joined(config.users, "\n");
}

std::vector<std::string> user_lines(const Config& config) {
  return config.users;
}

// --- rename-command

Refusal parse_rename(Config& config, Words words) {
  if (words.size() != 2) return "wrong number of arguments";
  config.rename_command.push_back({words[0], words[1]});
  return std::nullopt;
}

std::vector<std::string> rename_lines(const Config& config) {
  std::vector<std::string> lines;
  for (const Rename& rename : config.rename_command)
    lines.push_back(quoted_word(rename.command) + " " + quoted_word(rename.name));
  return lines;
}

std::string print_renames(const Config& config) {
  return joined(rename_lines(config), "\n");
}

// --- save

constexpr std::string_view kInvalidSave = "Invalid save parameters";

std::optional<std::vector<SavePoint>> parse_save_points(Words words) {
  std::vector<SavePoint> points;
  if (words.size() == 1 && words[0].empty()) return points;
  // One word with blanks is several: --save "3600 1 300 100".
  const auto split = words.size() == 1 ? split_words(words[0]) : std::nullopt;
  if (split) words = *split;
  if (words.size() % 2 != 0) return std::nullopt;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::optional<int64_t> seconds = ae::parse_int64(words[i]);
    const std::optional<int64_t> changes = ae::parse_int64(words[i + 1]);
    if (!seconds || !changes || *seconds < 1 || *changes < 0) return std::nullopt;
    points.push_back({*seconds, *changes});
  }
  return points;
}

Refusal parse_save(Config& config, Words words) {
  const auto points = parse_save_points(words);
  if (!points) return std::string(kInvalidSave);
  if (config.save.next_line_replaces || points->empty()) config.save.clear();
  config.save.next_line_replaces = false;
  config.save.insert(config.save.end(), points->begin(), points->end());
  return std::nullopt;
}

std::string print_save_point(const SavePoint& point) {
  return fmt::format("{} {}", point.seconds, point.changes);
}

std::vector<std::string> save_lines(const Config& config) {
  if (config.save.empty()) return {"\"\""};
  std::vector<std::string> lines;
  for (const SavePoint& point : config.save) lines.push_back(print_save_point(point));
  return lines;
}

std::string print_save(const Config& config) {
  return config.save.empty() ? std::string() : joined(save_lines(config), " ");
}

void begin_save_anew(Config& config) {
  config.save.next_line_replaces = true;
}

// --- oom-score-adj-values

// Twice the kernel's range, so that a relative value can cross all of it.
constexpr int kMaxOomScore = 2000;

Refusal parse_oom_scores(Config& config, Words words) {
  OomScores scores;
  if (words.size() != scores.size()) return "wrong number of arguments";
  for (size_t i = 0; i < scores.size(); ++i) {
    const std::optional<int64_t> score = ae::parse_int64(words[i]);
    if (!score || *score < -kMaxOomScore || *score > kMaxOomScore)
      return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    scores[i] = int(*score);
  }
  config.oom_score_adj_values = scores;
  return std::nullopt;
}

std::string print_oom_scores(const Config& config) {
  return fmt::format("{}", fmt::join(config.oom_score_adj_values, " "));
}

std::vector<std::string> oom_score_lines(const Config& config) {
  return {print_oom_scores(config)};
}

// --- replicaof

Refusal parse_replica_of(Config& config, Words words) {
  const bool is_empty = words.size() == 1 && words[0].empty();
  if (!is_empty && words.size() != 2) return "wrong number of arguments";
  config.replicaof = {};
  if (is_empty || (equal_ignoring_case(words[0], "no") && equal_ignoring_case(words[1], "one")))
    return std::nullopt;
  const std::optional<int64_t> port = ae::parse_int64(words[1]);
  if (words[0].empty() || !port || *port < 0 || *port > UINT16_MAX) return "Invalid master port";
  config.replicaof = {words[0], static_cast<uint16_t>(*port)};
  return std::nullopt;
}

std::string print_replica_of(const Config& config) {
  const MasterAddress& master = config.replicaof;
  return master.is_none() ? std::string() : fmt::format("{} {}", master.host, master.port);
}

std::vector<std::string> replica_of_lines(const Config& config) {
  const MasterAddress& master = config.replicaof;
  if (master.is_none()) return {"no one"};
  return {fmt::format("{} {}", quoted_word(master.host), master.port)};
}

// --- names of files

bool is_path(std::string_view value) {
  return value.empty() || value.find('/') != value.npos;
}

// --- proc-title-template

constexpr std::array<std::string_view, 7> kTitleVariables = {
    "title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"};

}  // namespace

const SpecialField kBindField = addresses_field<&Config::bind>();
const SpecialField kAdminBindField = addresses_field<&Config::admin_bind>();
const SpecialField kMaxmemoryClientsField = {parse_maxmemory_clients, print_maxmemory_clients,
                                             maxmemory_clients_lines};
const SpecialField kOutputBufferLimitField = {parse_output_limits, print_output_limits,
                                              output_limit_lines};
const SpecialField kKeyspaceEventsField = {parse_keyspace_events, print_keyspace_events,
                                           keyspace_event_lines};
const SpecialField kPercentilesField = {parse_percentiles, print_percentiles, percentile_lines};
const SpecialField kDirField = {parse_dir, print_dir, dir_lines};
const SpecialField kUserField = {parse_user, print_users, user_lines};
const SpecialField kRenameField = {parse_rename, print_renames, rename_lines};

const SpecialField kSaveField = {parse_save, print_save, save_lines, begin_save_anew};
const SpecialField kOomScoreValuesField = {parse_oom_scores, print_oom_scores, oom_score_lines};
const SpecialField kReplicaOfField = {parse_replica_of, print_replica_of, replica_of_lines};

Refusal check_file_name(std::string_view value) {
  if (!is_path(value)) return std::nullopt;
  return "dbfilename can't be a path, just a filename";
}

Refusal check_append_name(std::string_view value) {
  if (value.empty()) return "appendfilename can't be empty";
  if (!is_path(value)) return std::nullopt;
  return "appendfilename can't be a path, just a filename";
}

Refusal check_append_directory(std::string_view value) {
  if (value.empty()) return "appenddirname can't be empty";
  if (!is_path(value)) return std::nullopt;
  return "appenddirname can't be a path, just a dirname";
}

Refusal check_proc_title_template(std::string_view value) {
  constexpr std::string_view kInvalid = "template format is invalid or contains unknown variables";
  for (size_t open = value.find('{'); open != value.npos; open = value.find('{', open)) {
    const size_t close = value.find('}', open);
    if (close == value.npos) return std::string(kInvalid);
    const std::string_view name = value.substr(open + 1, close - open - 1);
    if (std::ranges::find(kTitleVariables, name) == kTitleVariables.end()) {
      return std::string(kInvalid);
    }
    open = close;
  }
  return std::nullopt;
}

}  // namespace millrace
