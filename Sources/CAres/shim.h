/* c-ares' headers. */
#pragma once
#include <ares.h>
