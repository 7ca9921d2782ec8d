// All kernels, for one module.
#include "conv_ffma.cu"
#include "conv_f16x3.cu"
#include "conv_direct.cu"
#include "local.cu"
#include "global.cu"
