#pragma once

// cereal sets RapidJSON's assertion up; including it first gives every file the same definition of RapidJSON's inline
// functions. A distribution's cereal may use the system's RapidJSON instead of its bundled one.
#include <cereal/archives/json.hpp>

#if __has_include(<cereal/external/rapidjson/reader.h>)
#include <cereal/external/rapidjson/error/en.h>
#include <cereal/external/rapidjson/memorystream.h>
#include <cereal/external/rapidjson/prettywriter.h>
#include <cereal/external/rapidjson/reader.h>
#include <cereal/external/rapidjson/stringbuffer.h>
#include <cereal/external/rapidjson/writer.h>
#else
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#endif
