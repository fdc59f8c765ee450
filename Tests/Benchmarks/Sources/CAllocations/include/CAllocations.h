/* Counts the calls of malloc and its relatives in this process. */
#pragma once

#include <stdint.h>

/* Number of allocations since the process started. */
uint64_t allocations_count(void);
