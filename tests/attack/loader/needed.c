/* What plugins of the zoo need: a library that is not where the loader looks. */
__attribute__((visibility("default"))) int zoo_needed(void);
int zoo_needed(void) { return 0; }
