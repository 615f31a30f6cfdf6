#include "server/persist/command_text.h"

#include <algorithm>

#include "ae/base/assert.h"
#include "server/persist/command_snapshot.h"

namespace millrace {

void CommandText::add(std::initializer_list<std::string_view> args) {
  begin(args.size());
  for (std::string_view arg : args) argument(arg);
}

void CommandText::begin(size_t count) {
  if (gathered_.view().size() >= kPieceBytes) write_piece();
  writer_.array(count);
}

void CommandText::write_piece() {
  if (status_) status_ = sink_.write(gathered_.view());
  gathered_.clear();
}

ae::Status CommandText::finish() {
  writer_.assert_complete();
  write_piece();
  return status_;
}

void CollectionCommands::element(std::initializer_list<std::string_view> args) {
  AE_ASSERT(left_ > 0);
  if (left_in_piece_ == 0) {
    left_in_piece_ = std::min(left_, kElementsPerCommand);
    text_.begin(2 + left_in_piece_ * args.size());
    text_.argument(command_);
    text_.argument(key_);
  }
  for (std::string_view arg : args) text_.argument(arg);
  --left_in_piece_;
  --left_;
}

}  // namespace millrace
