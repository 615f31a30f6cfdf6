// One number for a whole dataset, so that two servers can be compared: DEBUG DIGEST and
// DIGEST-VALUE.
//
// The construction is Redis', bit for bit, so that a dump of ours compares with one of Redis. Two
// ways to add bytes to a digest D are all there is:
//
//   merge:  D = D xor SHA1(bytes)            order does not matter: for sets, and for the keys of a
//   database append: D = SHA1(D xor SHA1(bytes))      order matters: for lists, for the parts of
//   one thing
#pragma once

#include "server/command/sha1.h"
#include "server/db/databases.h"

namespace millrace {

// Of one key's type, value and expiry; the name is not part of it.
Sha1Digest digest_of_value(const Entry& entry);

// Of all databases. O(N) for all elements of all keys.
Sha1Digest digest_of_dataset(const Databases& databases);

}  // namespace millrace
