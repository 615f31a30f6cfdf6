#include "server/command/categories.h"

#include <algorithm>

namespace millrace {
namespace {

constexpr std::string_view kNames[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};
static_assert(std::size(kNames) == kCategories);

struct GroupCategory {
  Group group;
  Category category;
};
// Commands of the server's group have no category of their own.
constexpr GroupCategory kGroups[] = {
    {Group::kGeneric, Category::kKeyspace},
    {Group::kString, Category::kString},
    {Group::kList, Category::kList},
    {Group::kSet, Category::kSet},
    {Group::kSortedSet, Category::kSortedSet},
    {Group::kHash, Category::kHash},
    {Group::kPubSub, Category::kPubSub},
    {Group::kTransactions, Category::kTransaction},
    {Group::kConnection, Category::kConnection},
    {Group::kScripting, Category::kScripting},
    {Group::kHyperLogLog, Category::kHyperLogLog},
    {Group::kGeo, Category::kGeo},
    {Group::kStream, Category::kStream},
    {Group::kBitmap, Category::kBitmap},
};

struct Exception {
  std::string_view command;
  CategorySet categories;  // instead of the group's
};
constexpr Exception kExceptions[] = {
    {"keys", {Category::kKeyspace, Category::kDangerous}},
    {"restore", {Category::kKeyspace, Category::kDangerous}},
    {"sort", {Category::kSet, Category::kSortedSet, Category::kList, Category::kDangerous}},
    {"sort_ro", {Category::kSet, Category::kSortedSet, Category::kList, Category::kDangerous}},
    {"flushall", {Category::kKeyspace, Category::kDangerous}},
    {"flushdb", {Category::kKeyspace, Category::kDangerous}},
    {"swapdb", {Category::kKeyspace, Category::kDangerous}},
    {"dbsize", {Category::kKeyspace}},
    {"info", {Category::kDangerous}},
    {"lastsave", {Category::kAdmin, Category::kDangerous}},
    {"role", {Category::kAdmin, Category::kDangerous}},
    {"wait", {Category::kConnection}},
    {"waitaof", {Category::kConnection}},
    {"command", {Category::kConnection}},
    {"command|count", {Category::kConnection}},
    {"command|docs", {Category::kConnection}},
    {"command|getkeys", {Category::kConnection}},
    {"command|getkeysandflags", {Category::kConnection}},
    {"command|help", {Category::kConnection}},
    {"command|info", {Category::kConnection}},
    {"command|list", {Category::kConnection}},
};

CategorySet by_subject(const Command& command) {
  // A container does nothing itself.
  if (!command.spec->handler) return {};
  for (const Exception& exception : kExceptions)
    if (exception.command == command.full_name) return exception.categories;
  for (const GroupCategory& row : kGroups)
    if (row.group == command.spec->group) return {row.category};
  return {};
}

}  // namespace

CategorySet categories_of(const Command& command) {
  const CommandSpec& spec = *command.spec;
  CategorySet categories = by_subject(command);
  if (spec.has(kWrite)) categories.add(Category::kWrite);
  if (spec.has(kReadOnly) && !categories.has(Category::kScripting)) categories.add(Category::kRead);
  if (spec.has(kAdmin)) {
    categories.add(Category::kAdmin);
    categories.add(Category::kDangerous);
  }
  if (spec.has(kPubSub)) categories.add(Category::kPubSub);
  if (spec.has(kBlocking)) categories.add(Category::kBlocking);
  categories.add(spec.has(kFast) ? Category::kFast : Category::kSlow);
  return categories;
}

std::string_view category_name(Category category) {
  return kNames[size_t(category)];
}

std::optional<Category> find_category(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (equals_ignoring_case(kNames[i], name)) return Category(i);
  return std::nullopt;
}

}  // namespace millrace
