#define _GNU_SOURCE
#include "CDatagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
// After <time.h>, whose struct timespec it would declare again.
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>

static socklen_t to_system(const datagram_address *address, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (address->family == 4) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address->port);
    memcpy(&v4->sin_addr, address->octets, 4);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address->port);
  memcpy(&v6->sin6_addr, address->octets, 16);
  return sizeof *v6;
}

static datagram_address from_system(const struct sockaddr_storage *storage) {
  datagram_address address;
  memset(&address, 0, sizeof address);
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
    address.family = 4;
    address.port = ntohs(v4->sin_port);
    memcpy(address.octets, &v4->sin_addr, 4);
  } else if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
    address.family = 6;
    address.port = ntohs(v6->sin6_port);
    memcpy(address.octets, &v6->sin6_addr, 16);
  }
  return address;
}

static int system_family(uint8_t family) { return family == 4 ? AF_INET : AF_INET6; }

int datagrams_open(uint8_t family, bool reports_errors) {
  int descriptor = socket(system_family(family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0 || !reports_errors) return descriptor;
  int on = 1;
  // An IPv6 socket may be connected to an IPv4-mapped address.
  int status = family == 4 ? 0 : setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  if (status == 0) status = setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (status == 0) return descriptor;
  int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

int datagrams_connect(int descriptor, const datagram_address *server) {
  struct sockaddr_storage storage;
  socklen_t length = to_system(server, &storage);
  return connect(descriptor, (struct sockaddr *)&storage, length);
}

int datagrams_bind(int descriptor, uint8_t family) {
  datagram_address any;
  memset(&any, 0, sizeof any);
  any.family = family;
  struct sockaddr_storage storage;
  socklen_t length = to_system(&any, &storage);
  return bind(descriptor, (struct sockaddr *)&storage, length);
}

int datagrams_local_address(int descriptor, datagram_address *address) {
  struct sockaddr_storage storage;
  socklen_t length = sizeof storage;
  if (getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0) return -1;
  *address = from_system(&storage);
  return 0;
}

int datagrams_set_receive_buffer(int descriptor, int bytes) {
  return setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int datagrams_take_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int datagrams_receive(int descriptor, uint8_t *buffer, size_t capacity, datagram_arrival *arrivals, int count) {
  struct mmsghdr messages[datagrams_batch];
  struct iovec pieces[datagrams_batch];
  struct sockaddr_storage sources[datagrams_batch];
  if (count > datagrams_batch) count = datagrams_batch;
  for (int i = 0; i < count; i++) {
    pieces[i] = (struct iovec){buffer + (size_t)i * capacity, capacity};
    messages[i] = (struct mmsghdr){
        .msg_hdr = {.msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &pieces[i], .msg_iovlen = 1}};
  }
  int received;
  do received = recvmmsg(descriptor, messages, (unsigned)count, 0, NULL);
  while (received < 0 && errno == EINTR);
  for (int i = 0; i < received; i++) {
    if (messages[i].msg_hdr.msg_namelen == 0) sources[i].ss_family = AF_UNSPEC;
    arrivals[i] = (datagram_arrival){from_system(&sources[i]), messages[i].msg_len};
  }
  return received;
}

int datagrams_send(int descriptor, const uint8_t *buffer, const size_t *lengths, int count,
                   const datagram_address *target) {
  struct mmsghdr messages[datagrams_batch];
  struct iovec pieces[datagrams_batch];
  struct sockaddr_storage storage;
  socklen_t name_length = target ? to_system(target, &storage) : 0;
  if (count > datagrams_batch) count = datagrams_batch;
  for (int i = 0; i < count; i++) {
    pieces[i] = (struct iovec){(void *)buffer, lengths[i]};
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = target ? &storage : NULL,
                                               .msg_namelen = name_length,
                                               .msg_iov = &pieces[i],
                                               .msg_iovlen = 1}};
    buffer += lengths[i];
  }
  int sent;
  do sent = sendmmsg(descriptor, messages, (unsigned)count, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

/// Whether a message of this kind says what the path's MTU is.
static bool tells_mtu(const struct sock_extended_err *report) {
  switch (report->ee_origin) {
    case SO_EE_ORIGIN_LOCAL: return report->ee_errno == EMSGSIZE;
    case SO_EE_ORIGIN_ICMP: return report->ee_type == ICMP_DEST_UNREACH && report->ee_code == ICMP_FRAG_NEEDED;
    case SO_EE_ORIGIN_ICMP6: return report->ee_type == ICMPV6_PKT_TOOBIG;
    default: return false;
  }
}

int datagrams_next_error(int descriptor, datagram_error *error) {
  uint8_t payload[64];
  union {
    uint8_t bytes[512];
    struct cmsghdr alignment;
  } control;
  for (;;) {
    struct iovec piece = {payload, sizeof payload};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
      bool isError = (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                     (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
      if (!isError || header->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err))) continue;
      struct sock_extended_err report;
      memcpy(&report, CMSG_DATA(header), sizeof report);
      if (report.ee_origin != SO_EE_ORIGIN_LOCAL && report.ee_origin != SO_EE_ORIGIN_ICMP &&
          report.ee_origin != SO_EE_ORIGIN_ICMP6)
        continue;
      struct sockaddr_storage reporter;
      memset(&reporter, 0, sizeof reporter);
      size_t rest = header->cmsg_len - CMSG_LEN(sizeof report);
      memcpy(&reporter, CMSG_DATA(header) + sizeof report, rest < sizeof reporter ? rest : sizeof reporter);
      *error = (datagram_error){.error = (int)report.ee_errno,
                                .is_local = report.ee_origin == SO_EE_ORIGIN_LOCAL,
                                .is_version6 = report.ee_origin == SO_EE_ORIGIN_ICMP6,
                                .type = report.ee_type,
                                .code = report.ee_code,
                                .mtu = tells_mtu(&report) ? report.ee_info : 0,
                                .reporter = from_system(&reporter)};
      return 1;
    }
  }
}

static struct epoll_event interest(int descriptor, bool reads, bool writes) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
  event.data.fd = descriptor;
  return event;
}

int poller_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int poller_add(int poller, int descriptor, bool reads, bool writes) {
  struct epoll_event event = interest(descriptor, reads, writes);
  return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int poller_change(int poller, int descriptor, bool reads, bool writes) {
  struct epoll_event event = interest(descriptor, reads, writes);
  return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event);
}

int poller_remove(int poller, int descriptor) { return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL); }

int poller_wait(int poller, poller_event *events, bool returns_at_once) {
  struct epoll_event system[poller_events];
  int count = epoll_wait(poller, system, poller_events, returns_at_once ? 0 : -1);
  if (count < 0) return errno == EINTR ? 0 : -1;
  for (int i = 0; i < count; i++) {
    events[i] = (poller_event){.descriptor = system[i].data.fd,
                               .is_readable = (system[i].events & EPOLLIN) != 0,
                               .is_writable = (system[i].events & EPOLLOUT) != 0,
                               .has_error = (system[i].events & (EPOLLERR | EPOLLHUP)) != 0};
  }
  return count;
}

/// Reads the counter of an eventfd or a timerfd, so that it is no longer readable.
static int silence(int descriptor) {
  uint64_t count;
  ssize_t read_bytes = read(descriptor, &count, sizeof count);
  return read_bytes < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

int poller_bell_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int poller_bell_ring(int bell) { return eventfd_write(bell, 1); }
int poller_bell_silence(int bell) { return silence(bell); }

int poller_timer_open(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }

int poller_timer_set(int timer, uint64_t nanoseconds) {
  // Zero would switch it off.
  if (nanoseconds == 0) nanoseconds = 1;
  struct itimerspec at = {.it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000u),
                                       .tv_nsec = (long)(nanoseconds % 1000000000u)}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int poller_timer_silence(int timer) { return silence(timer); }
