#define _GNU_SOURCE
#include "CIsolation.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec of a process with threads only what is async-signal-safe may be called: no malloc, no stdio but snprintf into
   memory of our own with plain formats, no locks. */

enum { report_descriptor = 3, life_descriptor = 4, first_closed = 5, path_size = 4096 };

static __attribute__((noreturn)) void fail(isolation_step step) {
  isolation_failure failure = {step, errno};
  ssize_t ignored = write(report_descriptor, &failure, sizeof failure);
  (void)ignored;
  _exit(1);
}

/// Joins texts; fails with ENAMETOOLONG.
static int join(char *path, const char *one, const char *two, const char *three) {
  size_t a = strlen(one), b = strlen(two), c = strlen(three);
  if (a + b + c >= path_size) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(path, one, a);
  memcpy(path + a, two, b);
  memcpy(path + a + b, three, c + 1);
  return 0;
}

/// `lowerdir` of an overlay takes a colon and a backslash for its own; a comma ends an option.
static int escaped(char *out, const char *path) {
  size_t length = 0;
  for (; *path; path++) {
    if (length + 3 >= path_size) {
      errno = ENAMETOOLONG;
      return -1;
    }
    if (*path == ':' || *path == '\\' || *path == ',') out[length++] = '\\';
    out[length++] = *path;
  }
  out[length] = 0;
  return 0;
}

/// Puts an overlay of `lower` onto `target`; what is written goes to folders of this number in the scratch.
static int overlay(const char *scratch, int number, const char *lower, const char *target) {
  static char upper[path_size], options[3 * path_size], quoted[path_size], name[32];
  if (escaped(quoted, lower)) return -1;
  snprintf(name, sizeof name, "/%d", number);
  if (join(upper, scratch, name, "") || mkdir(upper, 0700)) return -1;
  if (join(upper, scratch, name, "/upper") || mkdir(upper, 0755)) return -1;
  if (join(upper, scratch, name, "/work") || mkdir(upper, 0700)) return -1;
  int length = snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s%s/upper,workdir=%s%s/work", quoted, scratch,
                        name, scratch, name);
  if (length < 0 || length >= (int)sizeof options) {
    errno = ENAMETOOLONG;
    return -1;
  }
  // What is written here is never kept: nothing has to be brought to a disk.
  return mount("overlay", target, "overlay", MS_NODEV, options);
}

/// Lays a file system over the image, below the new root.
static void set_up_image(const isolation_request *request, int number, const char *root) {
  static char path[path_size];
  if (!request->image) return;
  if (join(path, root, isolation_image_place, "") || mkdir(path, 0755)) fail(isolation_step_image);
  if (overlay(request->scratch, number, request->image, path)) fail(isolation_step_image);
}

/// Shows a folder in the image too. A link there would lead out of it.
static void show_in_image(const char *folder, const char *place) {
  struct stat status;
  if (mkdir(place, 0755) && errno != EEXIST) fail(isolation_step_image);
  if (lstat(place, &status)) fail(isolation_step_image);
  errno = ENOTDIR;
  if (!S_ISDIR(status.st_mode) || mount(folder, place, 0, MS_BIND | MS_REC, 0)) fail(isolation_step_image);
}

static void set_up_root(const isolation_request *request) {
  static char root[path_size], path[path_size], options[64];
  if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0)) fail(isolation_step_private_mounts);
  snprintf(options, sizeof options, "size=%llu,nr_inodes=65536,mode=0700", (unsigned long long)request->size);
  if (mount("drill", request->scratch, "tmpfs", MS_NODEV, options)) fail(isolation_step_scratch);
  if (join(root, request->scratch, "/root", "") || mkdir(root, 0755)) fail(isolation_step_scratch);
  if (overlay(request->scratch, 0, "/", root)) fail(isolation_step_overlay);
  int overlays = 1;
  for (int i = 0; request->mounts[i]; i++) {
    if (join(path, root, request->mounts[i], "")) continue;
    // One that cannot be laid over stays away: its folder is empty, or what the file system below it has.
    (void)overlay(request->scratch, overlays++, request->mounts[i], path);
  }
  if (join(path, root, "/run", "")) fail(isolation_step_run);
  if (mkdir(path, 0755) && errno != EEXIST) fail(isolation_step_run);
  snprintf(options, sizeof options, "size=%llu,nr_inodes=65536,mode=0755", (unsigned long long)request->size);
  if (mount("drill", path, "tmpfs", MS_NODEV | MS_NOSUID, options)) fail(isolation_step_run);
  set_up_image(request, overlays, root);
  if (join(path, root, "/dev", "")) fail(isolation_step_devices);
  if (mount("drill", path, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=65536,mode=0755")) fail(isolation_step_devices);
  static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
  for (int i = 0; i < 5; i++) {
    if (join(path, root, devices[i], "")) fail(isolation_step_devices);
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) fail(isolation_step_devices);
    close(file);
    if (mount(devices[i], path, 0, MS_BIND, 0)) fail(isolation_step_devices);
  }
  if (join(path, root, "/dev/fd", "") || symlink("/proc/self/fd", path)) fail(isolation_step_devices);
  if (join(path, root, "/dev/stdout", "") || symlink("/proc/self/fd/1", path)) fail(isolation_step_devices);
  if (join(path, root, "/dev/stderr", "") || symlink("/proc/self/fd/2", path)) fail(isolation_step_devices);
  if (join(path, root, "/proc", "")) fail(isolation_step_proc);
  if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0)) fail(isolation_step_proc);
  // The old root goes under the new one and is let go of: nothing leads back to it.
  if (chdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/")) fail(isolation_step_root);
}

static void set_up_loopback(void) {
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0) fail(isolation_step_loopback);
  struct ifreq interface = {.ifr_name = "lo"};
  if (ioctl(any, SIOCGIFFLAGS, &interface)) fail(isolation_step_loopback);
  interface.ifr_flags |= IFF_UP;
  if (ioctl(any, SIOCSIFFLAGS, &interface)) fail(isolation_step_loopback);
  close(any);
}

/// A message of rtnetlink(7), with room for its attributes.
typedef struct {
  struct nlmsghdr header;
  union {
    struct ifaddrmsg address;
    struct rtmsg route;
    char room[128];
  };
} message;

static void append(message *message, unsigned short kind, const void *value, size_t size) {
  struct rtattr *attribute = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));
  attribute->rta_type = kind;
  attribute->rta_len = RTA_LENGTH(size);
  memcpy(RTA_DATA(attribute), value, size);
  message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) + RTA_LENGTH(size);
}

/// Sends it and takes the answer. Returns 0, or an error number; that there is such a thing already is no error.
static int ask(int netlink, const message *message) {
  if (send(netlink, message, message->header.nlmsg_len, 0) < 0) return errno;
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[256];
  } answer;
  ssize_t count = recv(netlink, &answer, sizeof answer, 0);
  if (count < 0) return errno;
  if (count < (ssize_t)NLMSG_LENGTH(sizeof(int))) return EPROTO;
  if (answer.header.nlmsg_type != NLMSG_ERROR || answer.error.error == -EEXIST) return 0;
  return -answer.error.error;
}

/// The loopback interface is the first of every network.
static const int loopback = 1;

static int add_address(int netlink, const isolation_address *address) {
  message request = {
      .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                 .nlmsg_type = RTM_NEWADDR,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
      .address = {.ifa_family = address->count == 4 ? AF_INET : AF_INET6,
                  .ifa_prefixlen = (uint8_t)(address->count * 8),
                  .ifa_flags = IFA_F_NODAD,
                  .ifa_scope = RT_SCOPE_UNIVERSE,
                  .ifa_index = loopback},
  };
  append(&request, IFA_LOCAL, address->octets, address->count);
  append(&request, IFA_ADDRESS, address->octets, address->count);
  return ask(netlink, &request);
}

/// Whoever in this network sends to `target` has the address `source`, unless he chooses one.
static int set_source(int netlink, const isolation_address *target, const isolation_address *source) {
  message request = {
      .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                 .nlmsg_type = RTM_NEWROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE},
      .route = {.rtm_family = target->count == 4 ? AF_INET : AF_INET6,
                .rtm_dst_len = (uint8_t)(target->count * 8),
                .rtm_table = RT_TABLE_LOCAL,
                .rtm_protocol = RTPROT_KERNEL,
                .rtm_scope = RT_SCOPE_HOST,
                .rtm_type = RTN_LOCAL},
  };
  append(&request, RTA_DST, target->octets, target->count);
  append(&request, RTA_PREFSRC, source->octets, source->count);
  append(&request, RTA_OIF, &loopback, sizeof loopback);
  return ask(netlink, &request);
}

int isolation_set_addresses(const char *network, const isolation_address *addresses, int count,
                            const isolation_address *client) {
  int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int other = open(network, O_RDONLY | O_CLOEXEC);
  int error = own < 0 || other < 0 || setns(other, CLONE_NEWNET) ? errno : 0;
  if (!error) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0) error = errno;
    for (int i = 0; i < count && !error; i++) error = add_address(netlink, &addresses[i]);
    if (client && !error) error = add_address(netlink, client);
    for (int i = 0; i < count && client && !error; i++) {
      if (addresses[i].count == client->count) error = set_source(netlink, &addresses[i], client);
    }
    if (netlink >= 0) close(netlink);
    // A thread that cannot go back would do this host's work in the other network.
    if (setns(own, CLONE_NEWNET)) abort();
  }
  if (own >= 0) close(own);
  if (other >= 0) close(other);
  return error;
}

static void set_up_network(void) {
  set_up_loopback();
  // A service that may use port 443 as its unit says has that right here too.
  int file = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
  if (file < 0) fail(isolation_step_settings);
  if (write(file, "0", 1) != 1) fail(isolation_step_settings);
  close(file);
  // The settings of the kernel are the host's too: nobody in here writes to them, not even root.
  static const char *const closed[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"};
  for (int i = 0; i < 4; i++) {
    if (mount(closed[i], closed[i], 0, MS_BIND | MS_REC, 0)) {
      if (errno == ENOENT) continue;
      fail(isolation_step_settings);
    }
    if (mount(0, closed[i], 0, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, 0)) {
      fail(isolation_step_settings);
    }
  }
}

/// What the child does: it is the first process of its PID namespace, and the namespace ends with it.
static __attribute__((noreturn)) void hold(const isolation_request *request, int report, int life) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
  // The kernel reaps what is left to it.
  signal(SIGCHLD, SIG_IGN);
  setsid();
  prctl(PR_SET_NAME, "runbook-drill", 0, 0, 0);
  umask(022);
  int empty = open("/dev/null", O_RDWR);
  report = fcntl(report, F_DUPFD, 16);
  life = fcntl(life, F_DUPFD, 16);
  if (empty < 0 || report < 0 || life < 0) _exit(1);
  for (int number = 0; number < 3; number++) dup2(empty, number);
  dup2(report, report_descriptor);
  dup2(life, life_descriptor);
  // Copies of our parent's descriptors, the locks of its files among them.
  if (syscall(SYS_close_range, first_closed, ~0U, 0)) fail(isolation_step_clone);
  set_up_root(request);
  set_up_network();
  if (request->image) {
    show_in_image("/dev", isolation_image_place "/dev");
    show_in_image("/proc", isolation_image_place "/proc");
  }
  isolation_failure none_failed = {isolation_step_none, 0};
  if (write(report_descriptor, &none_failed, sizeof none_failed) != sizeof none_failed) _exit(1);
  close(report_descriptor);
  char byte;
  while (read(life_descriptor, &byte, 1) != 0 && errno == EINTR) {}
  _exit(0);
}

pid_t isolation_start(const isolation_request *request, int *life, isolation_failure *failure) {
  int report[2], lifeline[2];
  *failure = (isolation_failure){isolation_step_clone, 0};
  if (pipe2(report, O_CLOEXEC)) {
    failure->error = errno;
    return -1;
  }
  if (pipe2(lifeline, O_CLOEXEC)) {
    failure->error = errno;
    close(report[0]);
    close(report[1]);
    return -1;
  }
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) hold(request, report[1], lifeline[0]);
  int error = errno;
  close(report[1]);
  close(lifeline[0]);
  if (child > 0) {
    isolation_failure told;
    ssize_t count;
    do count = read(report[0], &told, sizeof told);
    while (count < 0 && errno == EINTR);
    if (count == sizeof told && told.step == isolation_step_none) {
      close(report[0]);
      *life = lifeline[1];
      *failure = told;
      return child;
    }
    *failure = count == sizeof told ? told : (isolation_failure){isolation_step_died, 0};
    kill(child, SIGKILL);
    while (waitpid(child, 0, 0) < 0 && errno == EINTR) {}
  } else {
    failure->error = error;
  }
  close(report[0]);
  close(lifeline[1]);
  return -1;
}
