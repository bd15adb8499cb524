#pragma once

/* The one place that names mixop's version; CMakeLists.txt reads it from here. */
#define MIXOP_VERSION_MAJOR 0
#define MIXOP_VERSION_MINOR 1
#define MIXOP_VERSION_PATCH 0
#define MIXOP_VERSION_STRING "0.1.0"
