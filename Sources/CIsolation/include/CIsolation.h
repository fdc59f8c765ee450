/* A child process in mount, network, PID and IPC namespaces of its own, whose root is a copy-on-write view of ours. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// The place at which an image is seen.
#define isolation_image_place "/run/image"

/// What the child was doing when something failed; 0 if nothing did.
typedef enum {
  isolation_step_none = 0,
  isolation_step_clone,
  isolation_step_private_mounts,
  isolation_step_scratch,
  isolation_step_overlay,
  isolation_step_image,
  isolation_step_run,
  isolation_step_devices,
  isolation_step_proc,
  isolation_step_root,
  isolation_step_loopback,
  isolation_step_settings,
  isolation_step_died,
} isolation_step;

typedef struct {
  isolation_step step;
  /// The error number of the system call; 0 if there was none.
  int error;
} isolation_failure;

/// An address for the loopback interface: 4 octets or 16, in network order.
typedef struct {
  uint8_t octets[16];
  uint8_t count;
} isolation_address;

typedef struct {
  /// A folder that is there: what is written is kept in memory, mounted on it where nobody else sees it.
  const char *scratch;
  /// How many bytes may be written; inodes are bounded too.
  uint64_t size;
  /// Folders below `/` on which file systems are mounted that belong to the root, shortest first, ended by null.
  const char *const *mounts;
  /// A folder that is seen at `isolation_image_place`, copy-on-write, with `/dev` and `/proc` in it; null if there is none.
  const char *image;
} isolation_request;

/// Starts the child. It lives until `*life`, which nobody else has, is closed: by its owner, or by the kernel when the owner's
/// process ends, in whatever way. All that runs in its PID namespace dies with it.
///
/// Returns its PID, or -1 with `failure` filled in; nothing is left then.
pid_t isolation_start(const isolation_request *request, int *life, isolation_failure *failure);

/// Gives the loopback interface of a network namespace, a file, addresses, and `client`, if not null, besides: whoever sends to one of the
/// others has that one. Returns 0, or an error number. It ends the process if the thread cannot come back from there.
int isolation_set_addresses(const char *network, const isolation_address *addresses, int count,
                            const isolation_address *client);
