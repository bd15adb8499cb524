#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A tensor handle: LibTorch's AtenTensorHandle, which is an at::Tensor* behind an opaque name. Passed in: borrowed for
 * the call. Passed out: owned by the receiver, who frees it with aoti_torch_delete_tensor_object.
 */
struct AtenTensorOpaque;
typedef struct AtenTensorOpaque* MixopTensor;

#ifdef __cplusplus
}
#endif
