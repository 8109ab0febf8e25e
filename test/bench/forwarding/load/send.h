#pragma once

namespace culvert::load {

struct Sending {
  const char *destination;
  int port;
  int octets;
  double seconds;
};

/// As many datagrams as the machine takes, each on its own.
void sendFlood(const Sending &sending);

/// As many bursts as the machine takes, in turn from the addresses that follow `source` to those that follow
/// the destination. IPv4 only.
void sendSpread(const Sending &sending, const char *source, int addresses, int burst);

/// Evenly spaced datagrams that carry the time at which they were sent.
void sendPaced(const Sending &sending, double perSecond);

}  // namespace culvert::load
