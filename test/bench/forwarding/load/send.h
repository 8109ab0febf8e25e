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

struct Spreading {
  const char *source;
  int addresses;
  /// Datagrams of one system call.
  int burst;
  /// Bursts; 0: as many as the machine takes.
  double perSecond;
};

/// Bursts in turn from the addresses that follow the source to those that follow the destination. IPv4 only.
void sendSpread(const Sending &sending, const Spreading &spreading);

/// Evenly spaced datagrams that carry the time at which they were sent.
void sendPaced(const Sending &sending, double perSecond);

}  // namespace culvert::load
