/* Included before each source of the built-in implementation: its globals go into
 * sections of their own, so that they can be put back for each program. */
#pragma clang section bss = "callback_bss" data = "callback_data"
