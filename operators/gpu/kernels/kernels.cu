// All kernels, for one module.
#include "conv_ffma.cu"
#include "conv_tf32.cu"
#include "conv_direct.cu"
#include "local.cu"
#include "global.cu"
