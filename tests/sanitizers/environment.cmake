# How tests run in a sanitized build. A report ends its program, with an exit code that is none of mixop's, so that no test
# takes it for the failure that it expects. A crash keeps its signal, and memory that is not there is refused as in other
# builds: tests look for both. Limits of time are promises of a release build.
list(APPEND test_environment MIXOP_SLOWNESS=10
     ASAN_OPTIONS=exitcode=99:handle_segv=0:allocator_may_return_null=1
     LSAN_OPTIONS=exitcode=99:suppressions=${CMAKE_CURRENT_LIST_DIR}/leaks.txt:print_suppressions=0
     UBSAN_OPTIONS=exitcode=99:halt_on_error=1:print_stacktrace=1)
