// CLIENT TRACKING and its kin; rows of the CLIENT table (client.cc).
#pragma once

namespace millrace {

class Context;

void client_tracking(Context& c);
void client_caching(Context& c);
void client_getredir(Context& c);
void client_trackinginfo(Context& c);

}  // namespace millrace
