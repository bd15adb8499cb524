#pragma once

#include <torch/csrc/autograd/function.h>

#include <memory>

namespace mixop {

/// A new node of LibTorch's autograd behind the pointer that holds such nodes: a shared one, in later versions (which have
/// the header that is looked for) an intrusive one.
template <class Node>
auto make_autograd_node() {
#if __has_include(<torch/csrc/autograd/node.h>)
  return c10::make_intrusive<Node>();
#else
  return std::shared_ptr<Node>(new Node(), torch::autograd::deleteNode);
#endif
}

}  // namespace mixop
