// Transcripts: what clients say and what the server answers, as data. The grammar is in
// tests/transcripts/README.md; tests/lib/transcript.py reads the same files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/clock.h"
#include "proto/reply_value.h"

namespace millrace {

// A line of a reply and, if it is the header of an aggregate, the elements that belong to it.
struct TranscriptNode {
  std::string head;
  std::vector<TranscriptNode> children = {};

  std::string text() const;  // a line per node
};

// A directive, or a command with its replies; replies without a command are awaited.
struct TranscriptStep {
  int line = 0;
  std::vector<std::string> directive = {};
  std::optional<std::string> command = {};
  std::vector<TranscriptNode> replies = {};

  bool is_silent() const { return replies.size() == 1 && replies[0].head == "(none)"; }
};

// Throws std::runtime_error: a file that cannot be read as a transcript, and where.
std::vector<TranscriptStep> read_transcript(const std::string& path);

// The words of a command: bare, "with escapes" or 'as they are'.
std::vector<std::string> transcript_words(std::string_view text);

// "10s", "5ms", "2h".
ae::Nanoseconds transcript_duration(const std::string& text);

TranscriptNode transcript_node(const proto::ReplyValue& reply);

bool matches(const TranscriptNode& expected, const TranscriptNode& actual);

}  // namespace millrace
