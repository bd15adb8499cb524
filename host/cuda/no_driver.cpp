// libmixop_no_driver.so: has the name of NVIDIA's driver and nothing of it. Loaded where there is none, it keeps CUDA's
// libraries, one of which looks in the current folder, from running what lies there under that name.

extern "C" __attribute__((visibility("default"))) const char mixop_no_driver = 0;
