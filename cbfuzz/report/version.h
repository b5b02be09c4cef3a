/* The version that --version prints. */
#ifndef CBFUZZ_REPORT_VERSION_H
#define CBFUZZ_REPORT_VERSION_H

#define CBFUZZ_VERSION "0.1.0"

#endif
