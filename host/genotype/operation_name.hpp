#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mixop {

/// Whether a text is a component's name: NAME, or PLUGIN/NAME (see PluginRegistry), of letters, digits, '.', '_' and '-'.
bool is_component_name(std::string_view text);

/// What a user writes to name an operation: a component's name, and behind it the options that
/// differ from the operator's defaults: NAME:option=value:option=value. Names and options have letters, digits, '.', '_'
/// and '-', values '+' as well.
bool is_operation_name(std::string_view text);

/// What is_operation_name() asks for, for messages.
inline constexpr char kOperationName[] =
    "an operation's name of letters, digits, '.', '_' and '-', and its options behind it as NAME:option=value";

/// The name without options.
std::string_view component_of(std::string_view operation);

/// The options in a name. A name that is_operation_name() refuses, or with an option twice, is a usage error.
std::map<std::string, std::string> options_in(std::string_view operation);

}  // namespace mixop
