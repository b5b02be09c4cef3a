/* What a hostile implementation does besides its work. */

/* Does what the environment variable of that name says, if it is set: one of the names in
 * acts.c. After "unguarded " as on a host where cbfuzz cannot stop system calls. */
void act(const char *when);
