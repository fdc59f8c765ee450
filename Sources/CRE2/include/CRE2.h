/* RE2 behind a C interface: linear-time regular expressions for the CEL and log-review patterns. */
#pragma once
