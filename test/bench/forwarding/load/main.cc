// The load of the forwarding benchmark where iperf3 has no word for it. Prints one line of JSON at its end.
//
//   load flood  DESTINATION PORT OCTETS SECONDS
//   load spread DESTINATION PORT OCTETS SECONDS FIRST-SOURCE ADDRESSES BURST PER-SECOND
//   load paced  DESTINATION PORT OCTETS SECONDS PER-SECOND
//   load count  FAMILY PORT SECONDS MERGED
//   load delays FAMILY PORT SECONDS
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "endpoint.h"
#include "receive.h"
#include "send.h"

using namespace culvert::load;

namespace {

int run(std::string_view mode, int arguments, char **words) {
  auto number = [&](int index) { return atof(words[index]); };
  auto whole = [&](int index) { return atoi(words[index]); };
  auto family = [&] { return whole(0) == 6 ? AF_INET6 : AF_INET; };
  auto sending = [&] { return Sending{words[0], whole(1), whole(2), number(3)}; };
  if (mode == "flood" && arguments == 4) sendFlood(sending());
  else if (mode == "spread" && arguments == 8) sendSpread(sending(), {words[4], whole(5), whole(6), number(7)});
  else if (mode == "paced" && arguments == 5) sendPaced(sending(), number(4));
  else if (mode == "count" && arguments == 4) receiveCount(family(), whole(1), number(2), whole(3) != 0);
  else if (mode == "delays" && arguments == 3) receiveDelays(family(), whole(1), number(2));
  else return 2;
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  int status = argc < 2 ? 2 : run(argv[1], argc - 2, argv + 2);
  if (status == 2) fputs("load flood|spread|paced|count|delays ARGUMENTS: see load/main.cc\n", stderr);
  return status;
}
