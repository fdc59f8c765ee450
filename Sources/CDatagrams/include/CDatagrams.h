/* UDP sockets on Linux in batches, what ICMP says of them, and waiting for them. These system calls take structures and
   macros that Swift cannot import. Each function returns -1 with errno where its system call fails. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// An address and a port.
typedef struct {
  /// 4, 6, or 0 for none.
  uint8_t family;
  uint16_t port;
  /// In network order; an IPv4 address takes the first four.
  uint8_t octets[16];
} datagram_address;

/// One datagram of a batch.
typedef struct {
  datagram_address source;
  size_t length;
} datagram_arrival;

/// Why a datagram that was sent did not get there (sock_extended_err of ip(7)).
typedef struct {
  /// The system's number for it.
  int error;
  /// Whether this host says it of itself, without an ICMP message.
  bool is_local;
  /// Whether the message is an ICMPv6 one.
  bool is_version6;
  uint8_t type;
  uint8_t code;
  /// The path's MTU where the message carries one; otherwise 0.
  uint32_t mtu;
  /// The router or host that says it.
  datagram_address reporter;
} datagram_error;

enum { datagrams_batch = 32 };

/// A close-on-exec UDP socket that never waits. With `reports_errors` it keeps the ICMP messages about what it sends for
/// `datagrams_next_error`.
int datagrams_open(uint8_t family, bool reports_errors);
int datagrams_connect(int socket, const datagram_address *server);
/// Binds to every address of the family and a free port.
int datagrams_bind(int socket, uint8_t family);
int datagrams_local_address(int socket, datagram_address *address);
/// How much the kernel keeps of what is not read yet.
int datagrams_set_receive_buffer(int socket, int bytes);
/// The error that waits at the socket, and forgets it; 0 where there is none.
int datagrams_take_error(int socket);

/// Reads at most `count` datagrams, no more than `datagrams_batch`: number i to `buffer + i * capacity`. How many.
int datagrams_receive(int socket, uint8_t *buffer, size_t capacity, datagram_arrival *arrivals, int count);
/// Sends `count` datagrams, no more than `datagrams_batch`, that lie one behind the other in `buffer`. How many the system
/// took. A target may be null where the socket is connected.
int datagrams_send(int socket, const uint8_t *buffer, const size_t *lengths, int count, const datagram_address *target);
/// Takes the oldest error report: 1, or 0 where there is none.
int datagrams_next_error(int socket, datagram_error *error);

/// What a poller tells of a descriptor.
typedef struct {
  int descriptor;
  bool is_readable;
  bool is_writable;
  bool has_error;
} poller_event;

enum { poller_events = 64 };

int poller_open(void);
int poller_add(int poller, int descriptor, bool reads, bool writes);
int poller_change(int poller, int descriptor, bool reads, bool writes);
int poller_remove(int poller, int descriptor);
/// Waits, for ever unless `returns_at_once`, and writes at most `poller_events`. How many; 0 also after a signal.
int poller_wait(int poller, poller_event *events, bool returns_at_once);

/// A descriptor that becomes readable by `poller_bell_ring`, until `poller_bell_silence`.
int poller_bell_open(void);
int poller_bell_ring(int bell);
int poller_bell_silence(int bell);
/// A descriptor that becomes readable at a time of the monotonic clock.
int poller_timer_open(void);
int poller_timer_set(int timer, uint64_t nanoseconds);
int poller_timer_silence(int timer);
