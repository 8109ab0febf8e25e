#pragma once

namespace culvert::load {

/// Counts what arrives at `port`: until half a second after the last datagram, or for `seconds` when none came.
/// With `merged` the kernel hands over several datagrams as one.
void receiveCount(int family, int port, double seconds, bool merged);

/// The same, and the time each datagram of sendPaced was under way.
void receiveDelays(int family, int port, double seconds);

}  // namespace culvert::load
