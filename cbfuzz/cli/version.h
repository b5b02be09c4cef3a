/* The version that --version prints. */
#ifndef CBFUZZ_CLI_VERSION_H
#define CBFUZZ_CLI_VERSION_H

#define CBFUZZ_VERSION "0.1.0"

#endif
