module @train_step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<64x32xf32> {tf.aliasing_output = 0 : i32}, %params.blocks.attentionNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 1 : i32}, %params.blocks.attention.query.weight: tensor<2x32x4x8xf32> {tf.aliasing_output = 2 : i32}, %params.blocks.attention.key.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 3 : i32}, %params.blocks.attention.value.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 4 : i32}, %params.blocks.attention.output.weight: tensor<2x4x8x32xf32> {tf.aliasing_output = 5 : i32}, %params.blocks.mlpNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 6 : i32}, %params.blocks.mlp.router.weight: tensor<2x32x4xf32> {tf.aliasing_output = 7 : i32}, %params.blocks.mlp.gate.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 8 : i32}, %params.blocks.mlp.up.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 9 : i32}, %params.blocks.mlp.down.weight: tensor<2x4x24x32xf32> {tf.aliasing_output = 10 : i32}, %params.norm.scale: tensor<32xf32> {tf.aliasing_output = 11 : i32}, %params.head.weight: tensor<32x64xf32> {tf.aliasing_output = 12 : i32}, %optimizer.mu.tokens.weight: tensor<64x32xf32> {tf.aliasing_output = 13 : i32}, %optimizer.mu.blocks.attentionNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 14 : i32}, %optimizer.mu.blocks.attention.query.weight: tensor<2x32x4x8xf32> {tf.aliasing_output = 15 : i32}, %optimizer.mu.blocks.attention.key.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 16 : i32}, %optimizer.mu.blocks.attention.value.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 17 : i32}, %optimizer.mu.blocks.attention.output.weight: tensor<2x4x8x32xf32> {tf.aliasing_output = 18 : i32}, %optimizer.mu.blocks.mlpNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 19 : i32}, %optimizer.mu.blocks.mlp.router.weight: tensor<2x32x4xf32> {tf.aliasing_output = 20 : i32}, %optimizer.mu.blocks.mlp.gate.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 21 : i32}, %optimizer.mu.blocks.mlp.up.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 22 : i32}, %optimizer.mu.blocks.mlp.down.weight: tensor<2x4x24x32xf32> {tf.aliasing_output = 23 : i32}, %optimizer.mu.norm.scale: tensor<32xf32> {tf.aliasing_output = 24 : i32}, %optimizer.mu.head.weight: tensor<32x64xf32> {tf.aliasing_output = 25 : i32}, %optimizer.nu.tokens.weight: tensor<64x32xf32> {tf.aliasing_output = 26 : i32}, %optimizer.nu.blocks.attentionNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 27 : i32}, %optimizer.nu.blocks.attention.query.weight: tensor<2x32x4x8xf32> {tf.aliasing_output = 28 : i32}, %optimizer.nu.blocks.attention.key.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 29 : i32}, %optimizer.nu.blocks.attention.value.weight: tensor<2x32x2x8xf32> {tf.aliasing_output = 30 : i32}, %optimizer.nu.blocks.attention.output.weight: tensor<2x4x8x32xf32> {tf.aliasing_output = 31 : i32}, %optimizer.nu.blocks.mlpNorm.scale: tensor<2x32xf32> {tf.aliasing_output = 32 : i32}, %optimizer.nu.blocks.mlp.router.weight: tensor<2x32x4xf32> {tf.aliasing_output = 33 : i32}, %optimizer.nu.blocks.mlp.gate.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 34 : i32}, %optimizer.nu.blocks.mlp.up.weight: tensor<2x4x32x24xf32> {tf.aliasing_output = 35 : i32}, %optimizer.nu.blocks.mlp.down.weight: tensor<2x4x24x32xf32> {tf.aliasing_output = 36 : i32}, %optimizer.nu.norm.scale: tensor<32xf32> {tf.aliasing_output = 37 : i32}, %optimizer.nu.head.weight: tensor<32x64xf32> {tf.aliasing_output = 38 : i32}, %step: tensor<i32> {tf.aliasing_output = 39 : i32}, %key: tensor<2xui32> {tf.aliasing_output = 40 : i32}, %tokens: tensor<1x2x17xi32>) -> (tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<i32>, tensor<2xui32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2x4xf32>) {
    %targets.slice = stablehlo.slice %tokens [0:1, 0:2, 1:17] : (tensor<1x2x17xi32>) -> tensor<1x2x16xi32>
    %c = stablehlo.constant dense<0> : tensor<1x2x16xi32>
    %real = stablehlo.compare GE, %targets.slice, %c, SIGNED : (tensor<1x2x16xi32>, tensor<1x2x16xi32>) -> tensor<1x2x16xi1>
    %count.convert = stablehlo.convert %real : (tensor<1x2x16xi1>) -> tensor<1x2x16xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %count.reduce = stablehlo.reduce(%count.convert init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<1x2x16xf32>, tensor<f32>) -> tensor<f32>
    %cst_1 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %count = stablehlo.maximum %count.reduce, %cst_1 : tensor<f32>
    %reshape = stablehlo.reshape %tokens : (tensor<1x2x17xi32>) -> tensor<2x17xi32>
    %c_1 = stablehlo.constant dense<0> : tensor<i32>
    %inputs.slice = stablehlo.slice %reshape [0:2, 0:16] : (tensor<2x17xi32>) -> tensor<2x16xi32>
    %c_2 = stablehlo.constant dense<0> : tensor<2x16xi32>
    %inputs = stablehlo.maximum %inputs.slice, %c_2 : tensor<2x16xi32>
    %targets = stablehlo.slice %reshape [0:2, 1:17] : (tensor<2x17xi32>) -> tensor<2x16xi32>
    %at = stablehlo.iota dim = 0 : tensor<16xi32>
    %x = "stablehlo.gather"(%params.tokens.weight, %inputs) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<64x32xf32>, tensor<2x16xi32>) -> tensor<2x16x32xf32>
    %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<2xf32>
    %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<2x4xf32>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x16x32xf32>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<2x32x2xf32>
    %c_3 = stablehlo.constant dense<0> : tensor<2x64xi32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<2x64x32xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<2x4xi32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<2x64x24xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<2x32xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<2x32x4xf32>
    %c_5 = stablehlo.constant dense<0> : tensor<2x32x2xi32>
    %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x16xf32>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x2x2x16x8xf32>
    %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x16x2x8xf32>
    %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x2x2x16x16xf32>
    %cst_14 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x16x2x2x8xf32>
    %h:34 = stablehlo.while(%iterArg = %c_1, %iterArg_1 = %x, %iterArg_2 = %cst_2, %iterArg_3 = %cst_2, %iterArg_4 = %cst_2, %iterArg_5 = %cst_3, %iterArg_6 = %cst_4, %iterArg_7 = %cst_5, %iterArg_8 = %c_3, %iterArg_9 = %cst_6, %iterArg_10 = %c_3, %iterArg_11 = %c_4, %iterArg_12 = %cst_7, %iterArg_13 = %cst_7, %iterArg_14 = %cst_7, %iterArg_15 = %cst_7, %iterArg_16 = %cst_6, %iterArg_17 = %cst_8, %iterArg_18 = %cst_9, %iterArg_19 = %cst_3, %iterArg_20 = %cst_8, %iterArg_21 = %cst_5, %iterArg_22 = %c_5, %iterArg_23 = %cst_9, %iterArg_24 = %cst_4, %iterArg_25 = %cst_10, %iterArg_26 = %cst_4, %iterArg_27 = %cst_11, %iterArg_28 = %cst_12, %iterArg_29 = %cst_13, %iterArg_30 = %cst_12, %iterArg_31 = %cst_14, %iterArg_32 = %cst_4, %iterArg_33 = %cst_10) : tensor<i32>, tensor<2x16x32xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2x4xf32>, tensor<2x2x16x32xf32>, tensor<2x32x2xf32>, tensor<2x64xi32>, tensor<2x64x32xf32>, tensor<2x64xi32>, tensor<2x4xi32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4xf32>, tensor<2x32xf32>, tensor<2x32x2xf32>, tensor<2x32x2xi32>, tensor<2x32x4xf32>, tensor<2x2x16x32xf32>, tensor<2x2x16xf32>, tensor<2x2x16x32xf32>, tensor<2x2x2x2x16x8xf32>, tensor<2x2x16x2x8xf32>, tensor<2x2x2x2x16x16xf32>, tensor<2x2x16x2x8xf32>, tensor<2x2x16x2x2x8xf32>, tensor<2x2x16x32xf32>, tensor<2x2x16xf32>
    cond {
      %c_8 = stablehlo.constant dense<2> : tensor<i32>
      %h_1 = stablehlo.compare LT, %iterArg, %c_8, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %h_1 : tensor<i1>
    } do {
      %c_8 = stablehlo.constant dense<0> : tensor<i32>
      %attentionNorm.scale = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %iterArg, %c_8, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %attentionNorm.scale_1 = stablehlo.reshape %attentionNorm.scale : (tensor<1x32xf32>) -> tensor<32xf32>
      %attention.query.weight = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 32, 4, 8] : (tensor<2x32x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4x8xf32>
      %attention.key.weight = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %attention.value.weight = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %attention.output.weight = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 4, 8, 32] : (tensor<2x4x8x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x8x32xf32>
      %mlpNorm.scale = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %iterArg, %c_8, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %mlpNorm.scale_1 = stablehlo.reshape %mlpNorm.scale : (tensor<1x32xf32>) -> tensor<32xf32>
      %mlp.router.weight = stablehlo.dynamic_slice %params.blocks.mlp.router.weight, %iterArg, %c_8, %c_8, sizes = [1, 32, 4] : (tensor<2x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4xf32>
      %mlp.router.weight_1 = stablehlo.reshape %mlp.router.weight : (tensor<1x32x4xf32>) -> tensor<32x4xf32>
      %mlp.gate.weight = stablehlo.dynamic_slice %params.blocks.mlp.gate.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_8, %c_8, %c_8, sizes = [1, 4, 24, 32] : (tensor<2x4x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x24x32xf32>
      %rrms.multiply_2 = stablehlo.multiply %iterArg_1, %iterArg_1 : tensor<2x16x32xf32>
      %cst_91 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %rrms.reduce_1 = stablehlo.reduce(%rrms.multiply_2 init: %cst_91) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
      %cst_92 = stablehlo.constant dense<3.125000e-02> : tensor<2x16xf32>
      %rrms.multiply_3 = stablehlo.multiply %rrms.reduce_1, %cst_92 : tensor<2x16xf32>
      %cst_93 = stablehlo.constant dense<9.99999974E-6> : tensor<2x16xf32>
      %rrms.add_1 = stablehlo.add %rrms.multiply_3, %cst_93 : tensor<2x16xf32>
      %rrms.rsqrt = stablehlo.rsqrt %rrms.add_1 : tensor<2x16xf32>
      %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rrms.rsqrt, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %multiply_4 = stablehlo.multiply %iterArg_1, %broadcast_in_dim_2 : tensor<2x16x32xf32>
      %broadcast_in_dim_3 = stablehlo.broadcast_in_dim %attentionNorm.scale_1, dims = [2] : (tensor<32xf32>) -> tensor<2x16x32xf32>
      %multiply_5 = stablehlo.multiply %multiply_4, %broadcast_in_dim_3 : tensor<2x16x32xf32>
      %own.reshape_1 = stablehlo.reshape %multiply_5 : (tensor<2x16x32xf32>) -> tensor<32x32xf32>
      %own.reshape_2 = stablehlo.reshape %attention.query.weight : (tensor<1x32x4x8xf32>) -> tensor<32x32xf32>
      %own.dot_general_1 = stablehlo.dot_general %own.reshape_1, %own.reshape_2, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %own.reshape_3 = stablehlo.reshape %own.dot_general_1 : (tensor<32x32xf32>) -> tensor<2x16x4x8xf32>
      %frequencies.iota = stablehlo.iota dim = 0 : tensor<4xf32>
      %cst_94 = stablehlo.constant dense<-3.45387769> : tensor<4xf32>
      %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_94 : tensor<4xf32>
      %frequencies = stablehlo.exponential %frequencies.multiply : tensor<4xf32>
      %phase.convert = stablehlo.convert %at : (tensor<16xi32>) -> tensor<16xf32>
      %attended.broadcast_in_dim = stablehlo.broadcast_in_dim %phase.convert, dims = [0] : (tensor<16xf32>) -> tensor<16x4xf32>
      %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [1] : (tensor<4xf32>) -> tensor<16x4xf32>
      %phase = stablehlo.multiply %attended.broadcast_in_dim, %phase.broadcast_in_dim : tensor<16x4xf32>
      %attended.cosine = stablehlo.cosine %phase : tensor<16x4xf32>
      %attended.sine = stablehlo.sine %phase : tensor<16x4xf32>
      %slice = stablehlo.slice %own.reshape_3 [0:2, 0:16, 0:4, 0:4] : (tensor<2x16x4x8xf32>) -> tensor<2x16x4x4xf32>
      %slice_1 = stablehlo.slice %own.reshape_3 [0:2, 0:16, 0:4, 4:8] : (tensor<2x16x4x8xf32>) -> tensor<2x16x4x4xf32>
      %broadcast_in_dim_4 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x4x4xf32>
      %multiply_6 = stablehlo.multiply %slice, %broadcast_in_dim_4 : tensor<2x16x4x4xf32>
      %broadcast_in_dim_5 = stablehlo.broadcast_in_dim %attended.sine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x4x4xf32>
      %multiply_7 = stablehlo.multiply %slice_1, %broadcast_in_dim_5 : tensor<2x16x4x4xf32>
      %subtract_1 = stablehlo.subtract %multiply_6, %multiply_7 : tensor<2x16x4x4xf32>
      %multiply_8 = stablehlo.multiply %slice_1, %broadcast_in_dim_4 : tensor<2x16x4x4xf32>
      %multiply_9 = stablehlo.multiply %slice, %broadcast_in_dim_5 : tensor<2x16x4x4xf32>
      %add_2 = stablehlo.add %multiply_8, %multiply_9 : tensor<2x16x4x4xf32>
      %concatenate = stablehlo.concatenate %subtract_1, %add_2, dim = 3 : (tensor<2x16x4x4xf32>, tensor<2x16x4x4xf32>) -> tensor<2x16x4x8xf32>
      %own.reshape_4 = stablehlo.reshape %attention.key.weight : (tensor<1x32x2x8xf32>) -> tensor<32x16xf32>
      %own.dot_general_2 = stablehlo.dot_general %own.reshape_1, %own.reshape_4, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x16xf32>) -> tensor<32x16xf32>
      %own.reshape_5 = stablehlo.reshape %own.dot_general_2 : (tensor<32x16xf32>) -> tensor<2x16x2x8xf32>
      %slice_2 = stablehlo.slice %own.reshape_5 [0:2, 0:16, 0:2, 0:4] : (tensor<2x16x2x8xf32>) -> tensor<2x16x2x4xf32>
      %slice_3 = stablehlo.slice %own.reshape_5 [0:2, 0:16, 0:2, 4:8] : (tensor<2x16x2x8xf32>) -> tensor<2x16x2x4xf32>
      %broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x2x4xf32>
      %multiply_10 = stablehlo.multiply %slice_2, %broadcast_in_dim_6 : tensor<2x16x2x4xf32>
      %broadcast_in_dim_7 = stablehlo.broadcast_in_dim %attended.sine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x2x4xf32>
      %multiply_11 = stablehlo.multiply %slice_3, %broadcast_in_dim_7 : tensor<2x16x2x4xf32>
      %subtract_2 = stablehlo.subtract %multiply_10, %multiply_11 : tensor<2x16x2x4xf32>
      %multiply_12 = stablehlo.multiply %slice_3, %broadcast_in_dim_6 : tensor<2x16x2x4xf32>
      %multiply_13 = stablehlo.multiply %slice_2, %broadcast_in_dim_7 : tensor<2x16x2x4xf32>
      %add_3 = stablehlo.add %multiply_12, %multiply_13 : tensor<2x16x2x4xf32>
      %concatenate_1 = stablehlo.concatenate %subtract_2, %add_3, dim = 3 : (tensor<2x16x2x4xf32>, tensor<2x16x2x4xf32>) -> tensor<2x16x2x8xf32>
      %own.reshape_6 = stablehlo.reshape %attention.value.weight : (tensor<1x32x2x8xf32>) -> tensor<32x16xf32>
      %own.dot_general_3 = stablehlo.dot_general %own.reshape_1, %own.reshape_6, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x16xf32>) -> tensor<32x16xf32>
      %own.reshape_7 = stablehlo.reshape %own.dot_general_3 : (tensor<32x16xf32>) -> tensor<2x16x2x8xf32>
      %attended.reshape = stablehlo.reshape %concatenate : (tensor<2x16x4x8xf32>) -> tensor<2x16x2x2x8xf32>
      %cst_95 = stablehlo.constant dense<0.353553385> : tensor<2x16x2x2x8xf32>
      %scaled = stablehlo.multiply %attended.reshape, %cst_95 : tensor<2x16x2x2x8xf32>
      %numbers = stablehlo.iota dim = 0 : tensor<16xi32>
      %before.broadcast_in_dim = stablehlo.broadcast_in_dim %numbers, dims = [0] : (tensor<16xi32>) -> tensor<16x16xi32>
      %before.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %numbers, dims = [1] : (tensor<16xi32>) -> tensor<16x16xi32>
      %before = stablehlo.compare GE, %before.broadcast_in_dim, %before.broadcast_in_dim_1, SIGNED : (tensor<16x16xi32>, tensor<16x16xi32>) -> tensor<16x16xi1>
      %attended.transpose = stablehlo.transpose %scaled, dims = [0, 2, 3, 1, 4] : (tensor<2x16x2x2x8xf32>) -> tensor<2x2x2x16x8xf32>
      %s = stablehlo.dot_general %attended.transpose, %concatenate_1, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [3] : (tensor<2x2x2x16x8xf32>, tensor<2x16x2x8xf32>) -> tensor<2x2x2x16x16xf32>
      %cst_96 = stablehlo.constant dense<-1.000000e+30> : tensor<2x2x2x16x16xf32>
      %s.broadcast_in_dim = stablehlo.broadcast_in_dim %before, dims = [3, 4] : (tensor<16x16xi1>) -> tensor<2x2x2x16x16xi1>
      %s_1 = stablehlo.select %s.broadcast_in_dim, %s, %cst_96 : tensor<2x2x2x16x16xi1>, tensor<2x2x2x16x16xf32>
      %cst_97 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %peak.reduce = stablehlo.reduce(%s_1 init: %cst_97) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x16x16xf32>, tensor<f32>) -> tensor<2x2x2x16xf32>
      %cst_98 = stablehlo.constant dense<-1.000000e+29> : tensor<2x2x2x16xf32>
      %peak_1 = stablehlo.maximum %peak.reduce, %cst_98 : tensor<2x2x2x16xf32>
      %weights.broadcast_in_dim = stablehlo.broadcast_in_dim %peak_1, dims = [0, 1, 2, 3] : (tensor<2x2x2x16xf32>) -> tensor<2x2x2x16x16xf32>
      %weights.subtract = stablehlo.subtract %s_1, %weights.broadcast_in_dim : tensor<2x2x2x16x16xf32>
      %weights = stablehlo.exponential %weights.subtract : tensor<2x2x2x16x16xf32>
      %total_1 = stablehlo.reduce(%weights init: %cst_91) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x16x16xf32>, tensor<f32>) -> tensor<2x2x2x16xf32>
      %cst_99 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x2x16xf32>
      %divisor.compare = stablehlo.compare EQ, %total_1, %cst_99, FLOAT : (tensor<2x2x2x16xf32>, tensor<2x2x2x16xf32>) -> tensor<2x2x2x16xi1>
      %cst_100 = stablehlo.constant dense<1.000000e+00> : tensor<2x2x2x16xf32>
      %divisor = stablehlo.select %divisor.compare, %cst_100, %total_1 : tensor<2x2x2x16xi1>, tensor<2x2x2x16xf32>
      %probs.broadcast_in_dim = stablehlo.broadcast_in_dim %divisor, dims = [0, 1, 2, 3] : (tensor<2x2x2x16xf32>) -> tensor<2x2x2x16x16xf32>
      %probs = stablehlo.divide %weights, %probs.broadcast_in_dim : tensor<2x2x2x16x16xf32>
      %dot_general = stablehlo.dot_general %probs, %own.reshape_7, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [1] : (tensor<2x2x2x16x16xf32>, tensor<2x16x2x8xf32>) -> tensor<2x2x2x16x8xf32>
      %attended = stablehlo.transpose %dot_general, dims = [0, 3, 1, 2, 4] : (tensor<2x2x2x16x8xf32>) -> tensor<2x16x2x2x8xf32>
      %own.reshape_8 = stablehlo.reshape %attended : (tensor<2x16x2x2x8xf32>) -> tensor<32x32xf32>
      %own.reshape_9 = stablehlo.reshape %attention.output.weight : (tensor<1x4x8x32xf32>) -> tensor<32x32xf32>
      %own.dot_general_4 = stablehlo.dot_general %own.reshape_8, %own.reshape_9, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %own_1 = stablehlo.reshape %own.dot_general_4 : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %h_1 = stablehlo.add %iterArg_1, %own_1 : tensor<2x16x32xf32>
      %rrms.multiply_4 = stablehlo.multiply %h_1, %h_1 : tensor<2x16x32xf32>
      %rrms.reduce_2 = stablehlo.reduce(%rrms.multiply_4 init: %cst_91) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
      %rrms.multiply_5 = stablehlo.multiply %rrms.reduce_2, %cst_92 : tensor<2x16xf32>
      %rrms.add_2 = stablehlo.add %rrms.multiply_5, %cst_93 : tensor<2x16xf32>
      %rrms_1 = stablehlo.rsqrt %rrms.add_2 : tensor<2x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rrms_1, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %multiply_14 = stablehlo.multiply %h_1, %broadcast_in_dim_8 : tensor<2x16x32xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<32xf32>) -> tensor<2x16x32xf32>
      %multiply_15 = stablehlo.multiply %multiply_14, %broadcast_in_dim_9 : tensor<2x16x32xf32>
      %joined = stablehlo.reshape %multiply_15 : (tensor<2x16x32xf32>) -> tensor<32x32xf32>
      %logits = stablehlo.dot_general %joined, %mlp.router.weight_1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<32x32xf32>, tensor<32x4xf32>) -> tensor<32x4xf32>
      %scores.reduce = stablehlo.reduce(%logits init: %cst_97) applies stablehlo.maximum across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %scores.is_finite = stablehlo.is_finite %scores.reduce : (tensor<32xf32>) -> tensor<32xi1>
      %cst_101 = stablehlo.constant dense<0.000000e+00> : tensor<32xf32>
      %scores.select = stablehlo.select %scores.is_finite, %scores.reduce, %cst_101 : tensor<32xi1>, tensor<32xf32>
      %scores.broadcast_in_dim = stablehlo.broadcast_in_dim %scores.select, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %scores.subtract = stablehlo.subtract %logits, %scores.broadcast_in_dim : tensor<32x4xf32>
      %scores.exponential = stablehlo.exponential %scores.subtract : tensor<32x4xf32>
      %scores.reduce_1 = stablehlo.reduce(%scores.exponential init: %cst_91) applies stablehlo.add across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %scores.compare = stablehlo.compare EQ, %scores.reduce_1, %cst_101, FLOAT : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xi1>
      %cst_102 = stablehlo.constant dense<1.000000e+00> : tensor<32xf32>
      %scores.select_1 = stablehlo.select %scores.compare, %cst_102, %scores.reduce_1 : tensor<32xi1>, tensor<32xf32>
      %scores.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %scores.select_1, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %scores = stablehlo.divide %scores.exponential, %scores.broadcast_in_dim_1 : tensor<32x4xf32>
      %top_k:2 = chlo.top_k(%scores, k = 2) : tensor<32x4xf32> -> (tensor<32x2xf32>, tensor<32x2xi32>)
      %chosen_1 = "stablehlo.gather"(%scores, %top_k#1) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<32x4xf32>, tensor<32x2xi32>) -> tensor<32x2xf32>
      %reduce = stablehlo.reduce(%chosen_1 init: %cst_91) applies stablehlo.add across dimensions = [1] : (tensor<32x2xf32>, tensor<f32>) -> tensor<32xf32>
      %cst_103 = stablehlo.constant dense<9.99999968E-21> : tensor<32xf32>
      %add_4 = stablehlo.add %reduce, %cst_103 : tensor<32xf32>
      %broadcast_in_dim_10 = stablehlo.broadcast_in_dim %add_4, dims = [0] : (tensor<32xf32>) -> tensor<32x2xf32>
      %divide = stablehlo.divide %chosen_1, %broadcast_in_dim_10 : tensor<32x2xf32>
      %cst_104 = stablehlo.constant dense<1.000000e+00> : tensor<32x2xf32>
      %weight = stablehlo.multiply %divide, %cst_104 : tensor<32x2xf32>
      %choices.iota = stablehlo.iota dim = 0 : tensor<4xi32>
      %choices.broadcast_in_dim = stablehlo.broadcast_in_dim %top_k#1, dims = [0, 1] : (tensor<32x2xi32>) -> tensor<32x2x4xi32>
      %choices.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %choices.iota, dims = [2] : (tensor<4xi32>) -> tensor<32x2x4xi32>
      %choices.compare = stablehlo.compare EQ, %choices.broadcast_in_dim, %choices.broadcast_in_dim_1, SIGNED : (tensor<32x2x4xi32>, tensor<32x2x4xi32>) -> tensor<32x2x4xi1>
      %choices = stablehlo.convert %choices.compare : (tensor<32x2x4xi1>) -> tensor<32x2x4xi32>
      %load = stablehlo.reduce(%choices init: %c_8) applies stablehlo.add across dimensions = [0, 1] : (tensor<32x2x4xi32>, tensor<i32>) -> tensor<4xi32>
      %all = stablehlo.convert %load : (tensor<4xi32>) -> tensor<4xf32>
      %number = stablehlo.reduce(%all init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
      %share.broadcast_in_dim = stablehlo.broadcast_in_dim %number, dims = [] : (tensor<f32>) -> tensor<4xf32>
      %share = stablehlo.divide %all, %share.broadcast_in_dim : tensor<4xf32>
      %mean.reduce = stablehlo.reduce(%scores init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<32x4xf32>, tensor<f32>) -> tensor<4xf32>
      %cst_105 = stablehlo.constant dense<3.125000e-02> : tensor<4xf32>
      %mean = stablehlo.multiply %mean.reduce, %cst_105 : tensor<4xf32>
      %multiply_16 = stablehlo.multiply %share, %mean : tensor<4xf32>
      %reduce_1 = stablehlo.reduce(%multiply_16 init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
      %cst_106 = stablehlo.constant dense<4.000000e+00> : tensor<f32>
      %multiply_17 = stablehlo.multiply %reduce_1, %cst_106 : tensor<f32>
      %reduce_2 = stablehlo.reduce(%logits init: %cst_97) applies stablehlo.maximum across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %is_finite = stablehlo.is_finite %reduce_2 : (tensor<32xf32>) -> tensor<32xi1>
      %select_1 = stablehlo.select %is_finite, %reduce_2, %cst_101 : tensor<32xi1>, tensor<32xf32>
      %broadcast_in_dim_11 = stablehlo.broadcast_in_dim %select_1, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %subtract_3 = stablehlo.subtract %logits, %broadcast_in_dim_11 : tensor<32x4xf32>
      %exponential = stablehlo.exponential %subtract_3 : tensor<32x4xf32>
      %reduce_3 = stablehlo.reduce(%exponential init: %cst_91) applies stablehlo.add across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %log = stablehlo.log %reduce_3 : tensor<32xf32>
      %add_5 = stablehlo.add %log, %select_1 : tensor<32xf32>
      %multiply_18 = stablehlo.multiply %add_5, %add_5 : tensor<32xf32>
      %reduce_4 = stablehlo.reduce(%multiply_18 init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<32xf32>, tensor<f32>) -> tensor<f32>
      %cst_107 = stablehlo.constant dense<3.125000e-02> : tensor<f32>
      %multiply_19 = stablehlo.multiply %reduce_4, %cst_107 : tensor<f32>
      %cst_108 = stablehlo.constant dense<9.99999968E-21> : tensor<32x4xf32>
      %entropy.maximum = stablehlo.maximum %scores, %cst_108 : tensor<32x4xf32>
      %entropy.log = stablehlo.log %entropy.maximum : tensor<32x4xf32>
      %entropy.multiply = stablehlo.multiply %scores, %entropy.log : tensor<32x4xf32>
      %entropy = stablehlo.reduce(%entropy.multiply init: %cst_91) applies stablehlo.add across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %reduce_5 = stablehlo.reduce(%entropy init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<32xf32>, tensor<f32>) -> tensor<f32>
      %multiply_20 = stablehlo.multiply %reduce_5, %cst_107 : tensor<f32>
      %negate_2 = stablehlo.negate %multiply_20 : tensor<f32>
      %load_1 = stablehlo.reduce(%choices init: %c_8) applies stablehlo.add across dimensions = [0, 1] : (tensor<32x2x4xi32>, tensor<i32>) -> tensor<4xi32>
      %ofAssignment.transpose = stablehlo.transpose %top_k#1, dims = [1, 0] : (tensor<32x2xi32>) -> tensor<2x32xi32>
      %ofAssignment = stablehlo.reshape %ofAssignment.transpose : (tensor<2x32xi32>) -> tensor<64xi32>
      %order.iota = stablehlo.iota dim = 0 : tensor<64xi32>
      %order:2 = "stablehlo.sort"(%ofAssignment, %order.iota) <{dimension = 0 : i64, is_stable = true}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<i32>, %arg3: tensor<i32>):
        %order_1 = stablehlo.compare LT, %arg0, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %order_1 : tensor<i1>
      }) : (tensor<64xi32>, tensor<64xi32>) -> (tensor<64xi32>, tensor<64xi32>)
      %at.sort:2 = "stablehlo.sort"(%order#1, %order.iota) <{dimension = 0 : i64, is_stable = true}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<i32>, %arg3: tensor<i32>):
        %at_3 = stablehlo.compare LT, %arg0, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %at_3 : tensor<i1>
      }) : (tensor<64xi32>, tensor<64xi32>) -> (tensor<64xi32>, tensor<64xi32>)
      %at_2 = stablehlo.reshape %at.sort#1 : (tensor<64xi32>) -> tensor<2x32xi32>
      %c_9 = stablehlo.constant dense<32> : tensor<64xi32>
      %remainder = stablehlo.remainder %order#1, %c_9 : tensor<64xi32>
      %gather = "stablehlo.gather"(%joined, %remainder) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<32x32xf32>, tensor<64xi32>) -> tensor<64x32xf32>
      %own.reshape_10 = stablehlo.reshape %gather : (tensor<64x32xf32>) -> tensor<1x64x1x32xf32>
      %own.reshape_11 = stablehlo.reshape %mlp.gate.weight : (tensor<1x4x32x24xf32>) -> tensor<4x1x32x24xf32>
      %own.convert = stablehlo.convert %load_1 : tensor<4xi32>
      %own.broadcast_in_dim = stablehlo.broadcast_in_dim %own.convert, dims = [1] : (tensor<4xi32>) -> tensor<1x4xi32>
      %c_10 = stablehlo.constant dense<0> : tensor<1x4xi32>
      %own.maximum = stablehlo.maximum %own.broadcast_in_dim, %c_10 : tensor<1x4xi32>
      %own.reduce_window = "stablehlo.reduce_window"(%own.maximum, %c_8) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %c_11 = stablehlo.constant dense<64> : tensor<1x4xi32>
      %own.minimum = stablehlo.minimum %own.reduce_window, %c_11 : tensor<1x4xi32>
      %cst_109 = stablehlo.constant dense<0.000000e+00> : tensor<1x64x1x24xf32>
      %own.while:3 = stablehlo.while(%iterArg_34 = %c_8, %iterArg_35 = %c_8, %iterArg_36 = %cst_109) : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      cond {
        %c_13 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_34, %c_13, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_13 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum, %iterArg_34, %c_13, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_13) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_35, %c_13 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<64xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<64xi1>
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_34, %c_14 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_11, %own.reduce, %own.divide, %c_13, %c_13, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x32x24xf32>) -> tensor<32x24xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_10, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<64x32xf32>, tensor<32x24xf32>) -> tensor<64x24xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<64x24xf32>) -> tensor<64x1x24xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_36, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<64x1x24xf32>) -> tensor<1x64x1x24xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_36, %own.reshape_23, %iterArg_34, %own.minimum_3, %c_13, %c_13 : (tensor<1x64x1x24xf32>, tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %c_15 = stablehlo.constant dense<64> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_15 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_34, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_13, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      }
      %own.convert_1 = stablehlo.convert %own.while#2 : tensor<1x64x1x24xf32>
      %own.reshape_12 = stablehlo.reshape %own.convert_1 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
      %own.reshape_13 = stablehlo.reshape %mlp.up.weight : (tensor<1x4x32x24xf32>) -> tensor<4x1x32x24xf32>
      %own.reduce_window_1 = "stablehlo.reduce_window"(%own.maximum, %c_8) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %own.minimum_1 = stablehlo.minimum %own.reduce_window_1, %c_11 : tensor<1x4xi32>
      %own.while_1:3 = stablehlo.while(%iterArg_34 = %c_8, %iterArg_35 = %c_8, %iterArg_36 = %cst_109) : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      cond {
        %c_13 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_34, %c_13, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_13 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum_1, %iterArg_34, %c_13, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_13) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_35, %c_13 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<64xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<64xi1>
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_34, %c_14 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_13, %own.reduce, %own.divide, %c_13, %c_13, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x32x24xf32>) -> tensor<32x24xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_10, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<64x32xf32>, tensor<32x24xf32>) -> tensor<64x24xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<64x24xf32>) -> tensor<64x1x24xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_36, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<64x1x24xf32>) -> tensor<1x64x1x24xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_36, %own.reshape_23, %iterArg_34, %own.minimum_3, %c_13, %c_13 : (tensor<1x64x1x24xf32>, tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %c_15 = stablehlo.constant dense<64> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_15 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_34, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_13, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      }
      %own.convert_2 = stablehlo.convert %own.while_1#2 : tensor<1x64x1x24xf32>
      %own.reshape_14 = stablehlo.reshape %own.convert_2 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
      %inner.logistic = stablehlo.logistic %own.reshape_12 : tensor<64x24xf32>
      %inner.multiply = stablehlo.multiply %own.reshape_12, %inner.logistic : tensor<64x24xf32>
      %inner = stablehlo.multiply %inner.multiply, %own.reshape_14 : tensor<64x24xf32>
      %own.reshape_15 = stablehlo.reshape %inner : (tensor<64x24xf32>) -> tensor<1x64x1x24xf32>
      %own.reshape_16 = stablehlo.reshape %mlp.down.weight : (tensor<1x4x24x32xf32>) -> tensor<4x1x24x32xf32>
      %own.reduce_window_2 = "stablehlo.reduce_window"(%own.maximum, %c_8) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %own.minimum_2 = stablehlo.minimum %own.reduce_window_2, %c_11 : tensor<1x4xi32>
      %cst_110 = stablehlo.constant dense<0.000000e+00> : tensor<1x64x1x32xf32>
      %own.while_2:3 = stablehlo.while(%iterArg_34 = %c_8, %iterArg_35 = %c_8, %iterArg_36 = %cst_110) : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      cond {
        %c_13 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_34, %c_13, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_13 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum_2, %iterArg_34, %c_13, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_13) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_35, %c_13 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<64xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_35, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<64xi1>
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_34, %c_14 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_16, %own.reduce, %own.divide, %c_13, %c_13, sizes = [1, 1, 24, 32] : (tensor<4x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x24x32xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x24x32xf32>) -> tensor<24x32xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_15, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<64x24xf32>, tensor<24x32xf32>) -> tensor<64x32xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<64x32xf32>) -> tensor<64x1x32xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_36, %iterArg_34, %own.minimum_3, %c_13, %c_13, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<64x1x32xf32>) -> tensor<1x64x1x32xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_36, %own.reshape_23, %iterArg_34, %own.minimum_3, %c_13, %c_13 : (tensor<1x64x1x32xf32>, tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %c_15 = stablehlo.constant dense<64> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_15 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_34, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_13, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      }
      %own.convert_3 = stablehlo.convert %own.while_2#2 : tensor<1x64x1x32xf32>
      %own_2 = stablehlo.reshape %own.convert_3 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
      %out.gather = "stablehlo.gather"(%own_2, %at_2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<64x32xf32>, tensor<2x32xi32>) -> tensor<2x32x32xf32>
      %out.broadcast_in_dim = stablehlo.broadcast_in_dim %weight, dims = [1, 0] : (tensor<32x2xf32>) -> tensor<2x32x32xf32>
      %out.multiply = stablehlo.multiply %out.gather, %out.broadcast_in_dim : tensor<2x32x32xf32>
      %out = stablehlo.reduce(%out.multiply init: %cst_91) applies stablehlo.add across dimensions = [0] : (tensor<2x32x32xf32>, tensor<f32>) -> tensor<32x32xf32>
      %fed = stablehlo.reshape %out : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %add_6 = stablehlo.add %h_1, %fed : tensor<2x16x32xf32>
      %h.reshape = stablehlo.reshape %multiply_17 : (tensor<f32>) -> tensor<1xf32>
      %h.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_2, %h.reshape, %iterArg : (tensor<2xf32>, tensor<1xf32>, tensor<i32>) -> tensor<2xf32>
      %h.reshape_1 = stablehlo.reshape %multiply_19 : (tensor<f32>) -> tensor<1xf32>
      %h.dynamic_update_slice_1 = stablehlo.dynamic_update_slice %iterArg_3, %h.reshape_1, %iterArg : (tensor<2xf32>, tensor<1xf32>, tensor<i32>) -> tensor<2xf32>
      %h.reshape_2 = stablehlo.reshape %negate_2 : (tensor<f32>) -> tensor<1xf32>
      %h.dynamic_update_slice_2 = stablehlo.dynamic_update_slice %iterArg_4, %h.reshape_2, %iterArg : (tensor<2xf32>, tensor<1xf32>, tensor<i32>) -> tensor<2xf32>
      %h.reshape_3 = stablehlo.reshape %share : (tensor<4xf32>) -> tensor<1x4xf32>
      %h.dynamic_update_slice_3 = stablehlo.dynamic_update_slice %iterArg_5, %h.reshape_3, %iterArg, %c_8 : (tensor<2x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<2x4xf32>
      %h.reshape_4 = stablehlo.reshape %iterArg_1 : (tensor<2x16x32xf32>) -> tensor<1x2x16x32xf32>
      %h.dynamic_update_slice_4 = stablehlo.dynamic_update_slice %iterArg_6, %h.reshape_4, %iterArg, %c_8, %c_8, %c_8 : (tensor<2x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x32xf32>
      %h.reshape_5 = stablehlo.reshape %weight : (tensor<32x2xf32>) -> tensor<1x32x2xf32>
      %h.dynamic_update_slice_5 = stablehlo.dynamic_update_slice %iterArg_7, %h.reshape_5, %iterArg, %c_8, %c_8 : (tensor<2x32x2xf32>, tensor<1x32x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x2xf32>
      %h.reshape_6 = stablehlo.reshape %order#1 : (tensor<64xi32>) -> tensor<1x64xi32>
      %h.dynamic_update_slice_6 = stablehlo.dynamic_update_slice %iterArg_8, %h.reshape_6, %iterArg, %c_8 : (tensor<2x64xi32>, tensor<1x64xi32>, tensor<i32>, tensor<i32>) -> tensor<2x64xi32>
      %h.reshape_7 = stablehlo.reshape %own.convert_3 : (tensor<1x64x1x32xf32>) -> tensor<1x64x32xf32>
      %h.dynamic_update_slice_7 = stablehlo.dynamic_update_slice %iterArg_9, %h.reshape_7, %iterArg, %c_8, %c_8 : (tensor<2x64x32xf32>, tensor<1x64x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x32xf32>
      %h.reshape_8 = stablehlo.reshape %at.sort#1 : (tensor<64xi32>) -> tensor<1x64xi32>
      %h.dynamic_update_slice_8 = stablehlo.dynamic_update_slice %iterArg_10, %h.reshape_8, %iterArg, %c_8 : (tensor<2x64xi32>, tensor<1x64xi32>, tensor<i32>, tensor<i32>) -> tensor<2x64xi32>
      %h.reshape_9 = stablehlo.reshape %load_1 : (tensor<4xi32>) -> tensor<1x4xi32>
      %h.dynamic_update_slice_9 = stablehlo.dynamic_update_slice %iterArg_11, %h.reshape_9, %iterArg, %c_8 : (tensor<2x4xi32>, tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<2x4xi32>
      %h.reshape_10 = stablehlo.reshape %inner : (tensor<64x24xf32>) -> tensor<1x64x24xf32>
      %h.dynamic_update_slice_10 = stablehlo.dynamic_update_slice %iterArg_12, %h.reshape_10, %iterArg, %c_8, %c_8 : (tensor<2x64x24xf32>, tensor<1x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x24xf32>
      %h.reshape_11 = stablehlo.reshape %own.convert_2 : (tensor<1x64x1x24xf32>) -> tensor<1x64x24xf32>
      %h.dynamic_update_slice_11 = stablehlo.dynamic_update_slice %iterArg_13, %h.reshape_11, %iterArg, %c_8, %c_8 : (tensor<2x64x24xf32>, tensor<1x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x24xf32>
      %h.reshape_12 = stablehlo.reshape %inner.multiply : (tensor<64x24xf32>) -> tensor<1x64x24xf32>
      %h.dynamic_update_slice_12 = stablehlo.dynamic_update_slice %iterArg_14, %h.reshape_12, %iterArg, %c_8, %c_8 : (tensor<2x64x24xf32>, tensor<1x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x24xf32>
      %h.reshape_13 = stablehlo.reshape %own.convert_1 : (tensor<1x64x1x24xf32>) -> tensor<1x64x24xf32>
      %h.dynamic_update_slice_13 = stablehlo.dynamic_update_slice %iterArg_15, %h.reshape_13, %iterArg, %c_8, %c_8 : (tensor<2x64x24xf32>, tensor<1x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x24xf32>
      %h.reshape_14 = stablehlo.reshape %gather : (tensor<64x32xf32>) -> tensor<1x64x32xf32>
      %h.dynamic_update_slice_14 = stablehlo.dynamic_update_slice %iterArg_16, %h.reshape_14, %iterArg, %c_8, %c_8 : (tensor<2x64x32xf32>, tensor<1x64x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x32xf32>
      %h.reshape_15 = stablehlo.reshape %add_5 : (tensor<32xf32>) -> tensor<1x32xf32>
      %h.dynamic_update_slice_15 = stablehlo.dynamic_update_slice %iterArg_17, %h.reshape_15, %iterArg, %c_8 : (tensor<2x32xf32>, tensor<1x32xf32>, tensor<i32>, tensor<i32>) -> tensor<2x32xf32>
      %h.reshape_16 = stablehlo.reshape %logits : (tensor<32x4xf32>) -> tensor<1x32x4xf32>
      %h.dynamic_update_slice_16 = stablehlo.dynamic_update_slice %iterArg_18, %h.reshape_16, %iterArg, %c_8, %c_8 : (tensor<2x32x4xf32>, tensor<1x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x4xf32>
      %h.dynamic_update_slice_17 = stablehlo.dynamic_update_slice %iterArg_19, %h.reshape_3, %iterArg, %c_8 : (tensor<2x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<2x4xf32>
      %h.reshape_17 = stablehlo.reshape %add_4 : (tensor<32xf32>) -> tensor<1x32xf32>
      %h.dynamic_update_slice_18 = stablehlo.dynamic_update_slice %iterArg_20, %h.reshape_17, %iterArg, %c_8 : (tensor<2x32xf32>, tensor<1x32xf32>, tensor<i32>, tensor<i32>) -> tensor<2x32xf32>
      %h.reshape_18 = stablehlo.reshape %divide : (tensor<32x2xf32>) -> tensor<1x32x2xf32>
      %h.dynamic_update_slice_19 = stablehlo.dynamic_update_slice %iterArg_21, %h.reshape_18, %iterArg, %c_8, %c_8 : (tensor<2x32x2xf32>, tensor<1x32x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x2xf32>
      %h.reshape_19 = stablehlo.reshape %top_k#1 : (tensor<32x2xi32>) -> tensor<1x32x2xi32>
      %h.dynamic_update_slice_20 = stablehlo.dynamic_update_slice %iterArg_22, %h.reshape_19, %iterArg, %c_8, %c_8 : (tensor<2x32x2xi32>, tensor<1x32x2xi32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x2xi32>
      %h.reshape_20 = stablehlo.reshape %scores : (tensor<32x4xf32>) -> tensor<1x32x4xf32>
      %h.dynamic_update_slice_21 = stablehlo.dynamic_update_slice %iterArg_23, %h.reshape_20, %iterArg, %c_8, %c_8 : (tensor<2x32x4xf32>, tensor<1x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x4xf32>
      %h.reshape_21 = stablehlo.reshape %multiply_15 : (tensor<2x16x32xf32>) -> tensor<1x2x16x32xf32>
      %h.dynamic_update_slice_22 = stablehlo.dynamic_update_slice %iterArg_24, %h.reshape_21, %iterArg, %c_8, %c_8, %c_8 : (tensor<2x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x32xf32>
      %h.reshape_22 = stablehlo.reshape %rrms_1 : (tensor<2x16xf32>) -> tensor<1x2x16xf32>
      %h.dynamic_update_slice_23 = stablehlo.dynamic_update_slice %iterArg_25, %h.reshape_22, %iterArg, %c_8, %c_8 : (tensor<2x2x16xf32>, tensor<1x2x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16xf32>
      %h.reshape_23 = stablehlo.reshape %h_1 : (tensor<2x16x32xf32>) -> tensor<1x2x16x32xf32>
      %h.dynamic_update_slice_24 = stablehlo.dynamic_update_slice %iterArg_26, %h.reshape_23, %iterArg, %c_8, %c_8, %c_8 : (tensor<2x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x32xf32>
      %h.reshape_24 = stablehlo.reshape %dot_general : (tensor<2x2x2x16x8xf32>) -> tensor<1x2x2x2x16x8xf32>
      %h.dynamic_update_slice_25 = stablehlo.dynamic_update_slice %iterArg_27, %h.reshape_24, %iterArg, %c_8, %c_8, %c_8, %c_8, %c_8 : (tensor<2x2x2x2x16x8xf32>, tensor<1x2x2x2x16x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x2x2x16x8xf32>
      %h.reshape_25 = stablehlo.reshape %own.dot_general_3 : (tensor<32x16xf32>) -> tensor<1x2x16x2x8xf32>
      %h.dynamic_update_slice_26 = stablehlo.dynamic_update_slice %iterArg_28, %h.reshape_25, %iterArg, %c_8, %c_8, %c_8, %c_8 : (tensor<2x2x16x2x8xf32>, tensor<1x2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x2x8xf32>
      %h.reshape_26 = stablehlo.reshape %probs : (tensor<2x2x2x16x16xf32>) -> tensor<1x2x2x2x16x16xf32>
      %h.dynamic_update_slice_27 = stablehlo.dynamic_update_slice %iterArg_29, %h.reshape_26, %iterArg, %c_8, %c_8, %c_8, %c_8, %c_8 : (tensor<2x2x2x2x16x16xf32>, tensor<1x2x2x2x16x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x2x2x16x16xf32>
      %h.reshape_27 = stablehlo.reshape %concatenate_1 : (tensor<2x16x2x8xf32>) -> tensor<1x2x16x2x8xf32>
      %h.dynamic_update_slice_28 = stablehlo.dynamic_update_slice %iterArg_30, %h.reshape_27, %iterArg, %c_8, %c_8, %c_8, %c_8 : (tensor<2x2x16x2x8xf32>, tensor<1x2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x2x8xf32>
      %h.reshape_28 = stablehlo.reshape %scaled : (tensor<2x16x2x2x8xf32>) -> tensor<1x2x16x2x2x8xf32>
      %h.dynamic_update_slice_29 = stablehlo.dynamic_update_slice %iterArg_31, %h.reshape_28, %iterArg, %c_8, %c_8, %c_8, %c_8, %c_8 : (tensor<2x2x16x2x2x8xf32>, tensor<1x2x16x2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x2x2x8xf32>
      %h.reshape_29 = stablehlo.reshape %multiply_5 : (tensor<2x16x32xf32>) -> tensor<1x2x16x32xf32>
      %h.dynamic_update_slice_30 = stablehlo.dynamic_update_slice %iterArg_32, %h.reshape_29, %iterArg, %c_8, %c_8, %c_8 : (tensor<2x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16x32xf32>
      %h.reshape_30 = stablehlo.reshape %rrms.rsqrt : (tensor<2x16xf32>) -> tensor<1x2x16xf32>
      %h.dynamic_update_slice_31 = stablehlo.dynamic_update_slice %iterArg_33, %h.reshape_30, %iterArg, %c_8, %c_8 : (tensor<2x2x16xf32>, tensor<1x2x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x16xf32>
      %c_12 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_12 : tensor<i32>
      stablehlo.return %h_2, %add_6, %h.dynamic_update_slice, %h.dynamic_update_slice_1, %h.dynamic_update_slice_2, %h.dynamic_update_slice_3, %h.dynamic_update_slice_4, %h.dynamic_update_slice_5, %h.dynamic_update_slice_6, %h.dynamic_update_slice_7, %h.dynamic_update_slice_8, %h.dynamic_update_slice_9, %h.dynamic_update_slice_10, %h.dynamic_update_slice_11, %h.dynamic_update_slice_12, %h.dynamic_update_slice_13, %h.dynamic_update_slice_14, %h.dynamic_update_slice_15, %h.dynamic_update_slice_16, %h.dynamic_update_slice_17, %h.dynamic_update_slice_18, %h.dynamic_update_slice_19, %h.dynamic_update_slice_20, %h.dynamic_update_slice_21, %h.dynamic_update_slice_22, %h.dynamic_update_slice_23, %h.dynamic_update_slice_24, %h.dynamic_update_slice_25, %h.dynamic_update_slice_26, %h.dynamic_update_slice_27, %h.dynamic_update_slice_28, %h.dynamic_update_slice_29, %h.dynamic_update_slice_30, %h.dynamic_update_slice_31 : tensor<i32>, tensor<2x16x32xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2x4xf32>, tensor<2x2x16x32xf32>, tensor<2x32x2xf32>, tensor<2x64xi32>, tensor<2x64x32xf32>, tensor<2x64xi32>, tensor<2x4xi32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x24xf32>, tensor<2x64x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4xf32>, tensor<2x32xf32>, tensor<2x32x2xf32>, tensor<2x32x2xi32>, tensor<2x32x4xf32>, tensor<2x2x16x32xf32>, tensor<2x2x16xf32>, tensor<2x2x16x32xf32>, tensor<2x2x2x2x16x8xf32>, tensor<2x2x16x2x8xf32>, tensor<2x2x2x2x16x16xf32>, tensor<2x2x16x2x8xf32>, tensor<2x2x16x2x2x8xf32>, tensor<2x2x16x32xf32>, tensor<2x2x16xf32>
    }
    %rrms.multiply = stablehlo.multiply %h#1, %h#1 : tensor<2x16x32xf32>
    %rrms.reduce = stablehlo.reduce(%rrms.multiply init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
    %cst_15 = stablehlo.constant dense<3.125000e-02> : tensor<2x16xf32>
    %rrms.multiply_1 = stablehlo.multiply %rrms.reduce, %cst_15 : tensor<2x16xf32>
    %cst_16 = stablehlo.constant dense<9.99999974E-6> : tensor<2x16xf32>
    %rrms.add = stablehlo.add %rrms.multiply_1, %cst_16 : tensor<2x16xf32>
    %rrms = stablehlo.rsqrt %rrms.add : tensor<2x16xf32>
    %broadcast_in_dim = stablehlo.broadcast_in_dim %rrms, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
    %multiply = stablehlo.multiply %h#1, %broadcast_in_dim : tensor<2x16x32xf32>
    %broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.norm.scale, dims = [2] : (tensor<32xf32>) -> tensor<2x16x32xf32>
    %multiply_1 = stablehlo.multiply %multiply, %broadcast_in_dim_1 : tensor<2x16x32xf32>
    %own.reshape = stablehlo.reshape %multiply_1 : (tensor<2x16x32xf32>) -> tensor<32x32xf32>
    %own.dot_general = stablehlo.dot_general %own.reshape, %params.head.weight, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x64xf32>) -> tensor<32x64xf32>
    %own = stablehlo.reshape %own.dot_general : (tensor<32x64xf32>) -> tensor<2x16x64xf32>
    %cst_17 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %peak = stablehlo.reduce(%own init: %cst_17) applies stablehlo.maximum across dimensions = [2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<2x16xf32>
    %total.broadcast_in_dim = stablehlo.broadcast_in_dim %peak, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x64xf32>
    %total.subtract = stablehlo.subtract %own, %total.broadcast_in_dim : tensor<2x16x64xf32>
    %total.exponential = stablehlo.exponential %total.subtract : tensor<2x16x64xf32>
    %total.reduce = stablehlo.reduce(%total.exponential init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<2x16xf32>
    %total.log = stablehlo.log %total.reduce : tensor<2x16xf32>
    %total = stablehlo.add %total.log, %peak : tensor<2x16xf32>
    %sum.broadcast_in_dim = stablehlo.broadcast_in_dim %targets, dims = [0, 1] : (tensor<2x16xi32>) -> tensor<2x16x64xi32>
    %chosen.iota = stablehlo.iota dim = 0 : tensor<64xi32>
    %chosen.broadcast_in_dim = stablehlo.broadcast_in_dim %chosen.iota, dims = [2] : (tensor<64xi32>) -> tensor<2x16x64xi32>
    %chosen.compare = stablehlo.compare EQ, %sum.broadcast_in_dim, %chosen.broadcast_in_dim, SIGNED : (tensor<2x16x64xi32>, tensor<2x16x64xi32>) -> tensor<2x16x64xi1>
    %cst_18 = stablehlo.constant dense<0.000000e+00> : tensor<2x16x64xf32>
    %chosen.select = stablehlo.select %chosen.compare, %own, %cst_18 : tensor<2x16x64xi1>, tensor<2x16x64xf32>
    %chosen = stablehlo.reduce(%chosen.select init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<2x16xf32>
    %compare = stablehlo.compare GE, %targets, %c_2, SIGNED : (tensor<2x16xi32>, tensor<2x16xi32>) -> tensor<2x16xi1>
    %subtract = stablehlo.subtract %total, %chosen : tensor<2x16xf32>
    %cst_19 = stablehlo.constant dense<0.000000e+00> : tensor<2x16xf32>
    %select = stablehlo.select %compare, %subtract, %cst_19 : tensor<2x16xi1>, tensor<2x16xf32>
    %sum = stablehlo.reduce(%select init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %loss = stablehlo.divide %sum, %count : tensor<f32>
    %d_total = stablehlo.multiply %cst_1, %cst_1 : tensor<f32>
    %d_loss = stablehlo.divide %cst_1, %count : tensor<f32>
    %d_sum = stablehlo.broadcast_in_dim %d_total, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %d_sum_1 = stablehlo.broadcast_in_dim %d_loss, dims = [] : (tensor<f32>) -> tensor<2x16xf32>
    %d_probs.broadcast_in_dim = stablehlo.broadcast_in_dim %total, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x64xf32>
    %d_probs.subtract = stablehlo.subtract %own, %d_probs.broadcast_in_dim : tensor<2x16x64xf32>
    %d_probs = stablehlo.exponential %d_probs.subtract : tensor<2x16x64xf32>
    %d_error.convert = stablehlo.convert %chosen.compare : (tensor<2x16x64xi1>) -> tensor<2x16x64xf32>
    %d_error = stablehlo.subtract %d_probs, %d_error.convert : tensor<2x16x64xf32>
    %d_select = stablehlo.select %compare, %d_sum_1, %cst_19 : tensor<2x16xi1>, tensor<2x16xf32>
    %d_broadcast_in_dim = stablehlo.broadcast_in_dim %d_select, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x64xf32>
    %d_multiply = stablehlo.multiply %d_error, %d_broadcast_in_dim : tensor<2x16x64xf32>
    %d_own.reshape = stablehlo.reshape %d_multiply : (tensor<2x16x64xf32>) -> tensor<32x64xf32>
    %d_own.dot_general = stablehlo.dot_general %d_own.reshape, %params.head.weight, contracting_dims = [1] x [1] : (tensor<32x64xf32>, tensor<32x64xf32>) -> tensor<32x32xf32>
    %d_own.reshape_1 = stablehlo.reshape %d_own.dot_general : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
    %d_own = stablehlo.dot_general %own.reshape, %d_own.reshape, contracting_dims = [0] x [0] : (tensor<32x32xf32>, tensor<32x64xf32>) -> tensor<32x64xf32>
    %d_g = stablehlo.multiply %d_own.reshape_1, %broadcast_in_dim_1 : tensor<2x16x32xf32>
    %d_dx.multiply = stablehlo.multiply %d_g, %multiply : tensor<2x16x32xf32>
    %d_dx.reduce = stablehlo.reduce(%d_dx.multiply init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
    %d_dx.multiply_1 = stablehlo.multiply %d_dx.reduce, %cst_15 : tensor<2x16xf32>
    %d_dx.broadcast_in_dim = stablehlo.broadcast_in_dim %d_dx.multiply_1, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
    %d_dx.multiply_2 = stablehlo.multiply %multiply, %d_dx.broadcast_in_dim : tensor<2x16x32xf32>
    %d_dx.subtract = stablehlo.subtract %d_g, %d_dx.multiply_2 : tensor<2x16x32xf32>
    %d_dx = stablehlo.multiply %d_dx.subtract, %broadcast_in_dim : tensor<2x16x32xf32>
    %d_multiply_1 = stablehlo.multiply %d_own.reshape_1, %multiply : tensor<2x16x32xf32>
    %d_reduce = stablehlo.reduce(%d_multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<32xf32>
    %cst_20 = stablehlo.constant dense<0.000000e+00> : tensor<2x32x4x8xf32>
    %cst_21 = stablehlo.constant dense<0.000000e+00> : tensor<2x32x2x8xf32>
    %cst_22 = stablehlo.constant dense<0.000000e+00> : tensor<2x4x8x32xf32>
    %cst_23 = stablehlo.constant dense<0.000000e+00> : tensor<2x4x32x24xf32>
    %cst_24 = stablehlo.constant dense<0.000000e+00> : tensor<2x4x24x32xf32>
    %d_h:12 = stablehlo.while(%iterArg = %c_1, %iterArg_1 = %d_dx, %iterArg_2 = %cst_8, %iterArg_3 = %cst_20, %iterArg_4 = %cst_21, %iterArg_5 = %cst_21, %iterArg_6 = %cst_22, %iterArg_7 = %cst_8, %iterArg_8 = %cst_9, %iterArg_9 = %cst_23, %iterArg_10 = %cst_23, %iterArg_11 = %cst_24) : tensor<i32>, tensor<2x16x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>
    cond {
      %c_8 = stablehlo.constant dense<2> : tensor<i32>
      %d_h_1 = stablehlo.compare LT, %iterArg, %c_8, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %d_h_1 : tensor<i1>
    } do {
      %c_8 = stablehlo.constant dense<1> : tensor<i32>
      %d_h.subtract = stablehlo.subtract %c_8, %iterArg : tensor<i32>
      %c_9 = stablehlo.constant dense<0> : tensor<i32>
      %d_h.dynamic_slice = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %d_h.subtract, %c_9, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %d_h.reshape = stablehlo.reshape %d_h.dynamic_slice : (tensor<1x32xf32>) -> tensor<32xf32>
      %d_h.dynamic_slice_1 = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 32, 4, 8] : (tensor<2x32x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4x8xf32>
      %d_h.dynamic_slice_2 = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %d_h.dynamic_slice_3 = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %d_h.reshape_1 = stablehlo.reshape %d_h.dynamic_slice_3 : (tensor<1x32x2x8xf32>) -> tensor<32x2x8xf32>
      %d_h.dynamic_slice_4 = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 4, 8, 32] : (tensor<2x4x8x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x8x32xf32>
      %d_h.dynamic_slice_5 = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %d_h.subtract, %c_9, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %d_h.reshape_2 = stablehlo.reshape %d_h.dynamic_slice_5 : (tensor<1x32xf32>) -> tensor<32xf32>
      %d_h.dynamic_slice_6 = stablehlo.dynamic_slice %params.blocks.mlp.router.weight, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 4] : (tensor<2x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4xf32>
      %d_h.reshape_3 = stablehlo.reshape %d_h.dynamic_slice_6 : (tensor<1x32x4xf32>) -> tensor<32x4xf32>
      %d_h.dynamic_slice_7 = stablehlo.dynamic_slice %params.blocks.mlp.gate.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %d_h.reshape_4 = stablehlo.reshape %d_h.dynamic_slice_7 : (tensor<1x4x32x24xf32>) -> tensor<4x32x24xf32>
      %d_h.dynamic_slice_8 = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %d_h.reshape_5 = stablehlo.reshape %d_h.dynamic_slice_8 : (tensor<1x4x32x24xf32>) -> tensor<4x32x24xf32>
      %d_h.dynamic_slice_9 = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 4, 24, 32] : (tensor<2x4x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x24x32xf32>
      %d_h.reshape_6 = stablehlo.reshape %d_h.dynamic_slice_9 : (tensor<1x4x24x32xf32>) -> tensor<4x24x32xf32>
      %d_h.dynamic_slice_10 = stablehlo.dynamic_slice %h#6, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 32] : (tensor<2x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x32xf32>
      %d_h.reshape_7 = stablehlo.reshape %d_h.dynamic_slice_10 : (tensor<1x2x16x32xf32>) -> tensor<2x16x32xf32>
      %d_h.dynamic_slice_11 = stablehlo.dynamic_slice %h#7, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 2] : (tensor<2x32x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2xf32>
      %d_h.reshape_8 = stablehlo.reshape %d_h.dynamic_slice_11 : (tensor<1x32x2xf32>) -> tensor<32x2xf32>
      %d_h.dynamic_slice_12 = stablehlo.dynamic_slice %h#8, %d_h.subtract, %c_9, sizes = [1, 64] : (tensor<2x64xi32>, tensor<i32>, tensor<i32>) -> tensor<1x64xi32>
      %d_h.reshape_9 = stablehlo.reshape %d_h.dynamic_slice_12 : (tensor<1x64xi32>) -> tensor<64xi32>
      %d_h.dynamic_slice_13 = stablehlo.dynamic_slice %h#9, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 32] : (tensor<2x64x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x32xf32>
      %d_h.reshape_10 = stablehlo.reshape %d_h.dynamic_slice_13 : (tensor<1x64x32xf32>) -> tensor<64x32xf32>
      %d_h.dynamic_slice_14 = stablehlo.dynamic_slice %h#10, %d_h.subtract, %c_9, sizes = [1, 64] : (tensor<2x64xi32>, tensor<i32>, tensor<i32>) -> tensor<1x64xi32>
      %d_h.dynamic_slice_15 = stablehlo.dynamic_slice %h#11, %d_h.subtract, %c_9, sizes = [1, 4] : (tensor<2x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
      %d_h.reshape_11 = stablehlo.reshape %d_h.dynamic_slice_15 : (tensor<1x4xi32>) -> tensor<4xi32>
      %d_h.dynamic_slice_16 = stablehlo.dynamic_slice %h#12, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 24] : (tensor<2x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x24xf32>
      %d_h.dynamic_slice_17 = stablehlo.dynamic_slice %h#13, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 24] : (tensor<2x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x24xf32>
      %d_h.reshape_12 = stablehlo.reshape %d_h.dynamic_slice_17 : (tensor<1x64x24xf32>) -> tensor<64x24xf32>
      %d_h.dynamic_slice_18 = stablehlo.dynamic_slice %h#14, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 24] : (tensor<2x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x24xf32>
      %d_h.reshape_13 = stablehlo.reshape %d_h.dynamic_slice_18 : (tensor<1x64x24xf32>) -> tensor<64x24xf32>
      %d_h.dynamic_slice_19 = stablehlo.dynamic_slice %h#15, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 24] : (tensor<2x64x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x24xf32>
      %d_h.reshape_14 = stablehlo.reshape %d_h.dynamic_slice_19 : (tensor<1x64x24xf32>) -> tensor<64x24xf32>
      %d_h.dynamic_slice_20 = stablehlo.dynamic_slice %h#16, %d_h.subtract, %c_9, %c_9, sizes = [1, 64, 32] : (tensor<2x64x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x32xf32>
      %d_h.dynamic_slice_21 = stablehlo.dynamic_slice %h#17, %d_h.subtract, %c_9, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %d_h.reshape_15 = stablehlo.reshape %d_h.dynamic_slice_21 : (tensor<1x32xf32>) -> tensor<32xf32>
      %d_h.dynamic_slice_22 = stablehlo.dynamic_slice %h#18, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 4] : (tensor<2x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4xf32>
      %d_h.reshape_16 = stablehlo.reshape %d_h.dynamic_slice_22 : (tensor<1x32x4xf32>) -> tensor<32x4xf32>
      %d_h.dynamic_slice_23 = stablehlo.dynamic_slice %h#19, %d_h.subtract, %c_9, sizes = [1, 4] : (tensor<2x4xf32>, tensor<i32>, tensor<i32>) -> tensor<1x4xf32>
      %d_h.reshape_17 = stablehlo.reshape %d_h.dynamic_slice_23 : (tensor<1x4xf32>) -> tensor<4xf32>
      %d_h.dynamic_slice_24 = stablehlo.dynamic_slice %h#20, %d_h.subtract, %c_9, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %d_h.reshape_18 = stablehlo.reshape %d_h.dynamic_slice_24 : (tensor<1x32xf32>) -> tensor<32xf32>
      %d_h.dynamic_slice_25 = stablehlo.dynamic_slice %h#21, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 2] : (tensor<2x32x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2xf32>
      %d_h.reshape_19 = stablehlo.reshape %d_h.dynamic_slice_25 : (tensor<1x32x2xf32>) -> tensor<32x2xf32>
      %d_h.dynamic_slice_26 = stablehlo.dynamic_slice %h#22, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 2] : (tensor<2x32x2xi32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2xi32>
      %d_h.reshape_20 = stablehlo.reshape %d_h.dynamic_slice_26 : (tensor<1x32x2xi32>) -> tensor<32x2xi32>
      %d_h.dynamic_slice_27 = stablehlo.dynamic_slice %h#23, %d_h.subtract, %c_9, %c_9, sizes = [1, 32, 4] : (tensor<2x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4xf32>
      %d_h.reshape_21 = stablehlo.reshape %d_h.dynamic_slice_27 : (tensor<1x32x4xf32>) -> tensor<32x4xf32>
      %d_h.dynamic_slice_28 = stablehlo.dynamic_slice %h#24, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 32] : (tensor<2x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x32xf32>
      %d_h.dynamic_slice_29 = stablehlo.dynamic_slice %h#25, %d_h.subtract, %c_9, %c_9, sizes = [1, 2, 16] : (tensor<2x2x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16xf32>
      %d_h.reshape_22 = stablehlo.reshape %d_h.dynamic_slice_29 : (tensor<1x2x16xf32>) -> tensor<2x16xf32>
      %d_h.dynamic_slice_30 = stablehlo.dynamic_slice %h#26, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 32] : (tensor<2x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x32xf32>
      %d_h.reshape_23 = stablehlo.reshape %d_h.dynamic_slice_30 : (tensor<1x2x16x32xf32>) -> tensor<2x16x32xf32>
      %d_h.dynamic_slice_31 = stablehlo.dynamic_slice %h#27, %d_h.subtract, %c_9, %c_9, %c_9, %c_9, %c_9, sizes = [1, 2, 2, 2, 16, 8] : (tensor<2x2x2x2x16x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x2x2x16x8xf32>
      %d_h.reshape_24 = stablehlo.reshape %d_h.dynamic_slice_31 : (tensor<1x2x2x2x16x8xf32>) -> tensor<2x2x2x16x8xf32>
      %d_h.dynamic_slice_32 = stablehlo.dynamic_slice %h#28, %d_h.subtract, %c_9, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 2, 8] : (tensor<2x2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x2x8xf32>
      %d_h.reshape_25 = stablehlo.reshape %d_h.dynamic_slice_32 : (tensor<1x2x16x2x8xf32>) -> tensor<2x16x2x8xf32>
      %d_h.dynamic_slice_33 = stablehlo.dynamic_slice %h#29, %d_h.subtract, %c_9, %c_9, %c_9, %c_9, %c_9, sizes = [1, 2, 2, 2, 16, 16] : (tensor<2x2x2x2x16x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x2x2x16x16xf32>
      %d_h.reshape_26 = stablehlo.reshape %d_h.dynamic_slice_33 : (tensor<1x2x2x2x16x16xf32>) -> tensor<2x2x2x16x16xf32>
      %d_h.dynamic_slice_34 = stablehlo.dynamic_slice %h#30, %d_h.subtract, %c_9, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 2, 8] : (tensor<2x2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x2x8xf32>
      %d_h.reshape_27 = stablehlo.reshape %d_h.dynamic_slice_34 : (tensor<1x2x16x2x8xf32>) -> tensor<2x16x2x8xf32>
      %d_h.dynamic_slice_35 = stablehlo.dynamic_slice %h#31, %d_h.subtract, %c_9, %c_9, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 2, 2, 8] : (tensor<2x2x16x2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x2x2x8xf32>
      %d_h.reshape_28 = stablehlo.reshape %d_h.dynamic_slice_35 : (tensor<1x2x16x2x2x8xf32>) -> tensor<2x16x2x2x8xf32>
      %d_h.dynamic_slice_36 = stablehlo.dynamic_slice %h#32, %d_h.subtract, %c_9, %c_9, %c_9, sizes = [1, 2, 16, 32] : (tensor<2x2x16x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16x32xf32>
      %d_h.reshape_29 = stablehlo.reshape %d_h.dynamic_slice_36 : (tensor<1x2x16x32xf32>) -> tensor<2x16x32xf32>
      %d_h.dynamic_slice_37 = stablehlo.dynamic_slice %h#33, %d_h.subtract, %c_9, %c_9, sizes = [1, 2, 16] : (tensor<2x2x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x16xf32>
      %d_h.reshape_30 = stablehlo.reshape %d_h.dynamic_slice_37 : (tensor<1x2x16xf32>) -> tensor<2x16xf32>
      %d_h.dynamic_slice_38 = stablehlo.dynamic_slice %d_sum, %d_h.subtract, sizes = [1] : (tensor<2xf32>, tensor<i32>) -> tensor<1xf32>
      %d_h.reshape_31 = stablehlo.reshape %d_h.dynamic_slice_38 : (tensor<1xf32>) -> tensor<f32>
      %frequencies.iota = stablehlo.iota dim = 0 : tensor<4xf32>
      %cst_91 = stablehlo.constant dense<-3.45387769> : tensor<4xf32>
      %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_91 : tensor<4xf32>
      %frequencies = stablehlo.exponential %frequencies.multiply : tensor<4xf32>
      %phase.convert = stablehlo.convert %at : (tensor<16xi32>) -> tensor<16xf32>
      %attended.broadcast_in_dim = stablehlo.broadcast_in_dim %phase.convert, dims = [0] : (tensor<16xf32>) -> tensor<16x4xf32>
      %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [1] : (tensor<4xf32>) -> tensor<16x4xf32>
      %phase = stablehlo.multiply %attended.broadcast_in_dim, %phase.broadcast_in_dim : tensor<16x4xf32>
      %attended.cosine = stablehlo.cosine %phase : tensor<16x4xf32>
      %attended.sine = stablehlo.sine %phase : tensor<16x4xf32>
      %cst_92 = stablehlo.constant dense<0.353553385> : tensor<2x16x2x2x8xf32>
      %attended = stablehlo.transpose %d_h.reshape_24, dims = [0, 3, 1, 2, 4] : (tensor<2x2x2x16x8xf32>) -> tensor<2x16x2x2x8xf32>
      %joined = stablehlo.reshape %d_h.dynamic_slice_28 : (tensor<1x2x16x32xf32>) -> tensor<32x32xf32>
      %cst_93 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_h.reshape_18, dims = [0] : (tensor<32xf32>) -> tensor<32x2xf32>
      %cst_94 = stablehlo.constant dense<1.000000e+00> : tensor<32x2xf32>
      %cst_95 = stablehlo.constant dense<3.125000e-02> : tensor<4xf32>
      %cst_96 = stablehlo.constant dense<4.000000e+00> : tensor<f32>
      %cst_97 = stablehlo.constant dense<2.000000e-02> : tensor<f32>
      %cst_98 = stablehlo.constant dense<3.125000e-02> : tensor<f32>
      %at_2 = stablehlo.reshape %d_h.dynamic_slice_14 : (tensor<1x64xi32>) -> tensor<2x32xi32>
      %d_fed.reshape = stablehlo.reshape %iterArg_1 : (tensor<2x16x32xf32>) -> tensor<32x32xf32>
      %d_ofRow.transpose = stablehlo.transpose %d_h.reshape_8, dims = [1, 0] : (tensor<32x2xf32>) -> tensor<2x32xf32>
      %d_ofRow.reshape = stablehlo.reshape %d_ofRow.transpose : (tensor<2x32xf32>) -> tensor<64xf32>
      %d_ofRow = "stablehlo.gather"(%d_ofRow.reshape, %d_h.reshape_9) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<64xf32>, tensor<64xi32>) -> tensor<64xf32>
      %c_10 = stablehlo.constant dense<32> : tensor<64xi32>
      %d_cts.remainder = stablehlo.remainder %d_h.reshape_9, %c_10 : tensor<64xi32>
      %d_cts = "stablehlo.gather"(%d_fed.reshape, %d_cts.remainder) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<32x32xf32>, tensor<64xi32>) -> tensor<64x32xf32>
      %d_dy.broadcast_in_dim = stablehlo.broadcast_in_dim %d_ofRow, dims = [0] : (tensor<64xf32>) -> tensor<64x32xf32>
      %d_dy = stablehlo.multiply %d_cts, %d_dy.broadcast_in_dim : tensor<64x32xf32>
      %d_dw.multiply = stablehlo.multiply %d_h.reshape_10, %d_cts : tensor<64x32xf32>
      %d_dw.reduce = stablehlo.reduce(%d_dw.multiply init: %cst_93) applies stablehlo.add across dimensions = [1] : (tensor<64x32xf32>, tensor<f32>) -> tensor<64xf32>
      %d_dw = "stablehlo.gather"(%d_dw.reduce, %at_2) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<64xf32>, tensor<2x32xi32>) -> tensor<2x32xf32>
      %d_mixed = stablehlo.transpose %d_dw, dims = [1, 0] : (tensor<2x32xf32>) -> tensor<32x2xf32>
      %d_own.convert = stablehlo.convert %d_dy : tensor<64x32xf32>
      %d_own.transpose = stablehlo.transpose %d_h.reshape_6, dims = [0, 2, 1] : (tensor<4x24x32xf32>) -> tensor<4x32x24xf32>
      %d_own.reshape_2 = stablehlo.reshape %d_own.convert : (tensor<64x32xf32>) -> tensor<1x64x1x32xf32>
      %d_own.reshape_3 = stablehlo.reshape %d_own.transpose : (tensor<4x32x24xf32>) -> tensor<4x1x32x24xf32>
      %d_own.convert_1 = stablehlo.convert %d_h.reshape_11 : tensor<4xi32>
      %d_own.broadcast_in_dim = stablehlo.broadcast_in_dim %d_own.convert_1, dims = [1] : (tensor<4xi32>) -> tensor<1x4xi32>
      %c_11 = stablehlo.constant dense<0> : tensor<1x4xi32>
      %d_own.maximum = stablehlo.maximum %d_own.broadcast_in_dim, %c_11 : tensor<1x4xi32>
      %d_own.reduce_window = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %c_12 = stablehlo.constant dense<64> : tensor<1x4xi32>
      %d_own.minimum = stablehlo.minimum %d_own.reduce_window, %c_12 : tensor<1x4xi32>
      %cst_99 = stablehlo.constant dense<0.000000e+00> : tensor<1x64x1x24xf32>
      %d_own.while:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_99) : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_3, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x1x32x24xf32>) -> tensor<32x24xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_2, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_26, %d_own.reshape_25, contracting_dims = [1] x [0] : (tensor<64x32xf32>, tensor<32x24xf32>) -> tensor<64x24xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.dot_general_9 : (tensor<64x24xf32>) -> tensor<64x1x24xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.dynamic_slice_4 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_27, %d_own.reshape_28 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.select : (tensor<64x1x24xf32>) -> tensor<1x64x1x24xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.reshape_29, %iterArg_12, %d_own.minimum_6, %c_14, %c_14 : (tensor<1x64x1x24xf32>, tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_2 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_2, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_3 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_3, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x24xf32>
      }
      %d_own.convert_2 = stablehlo.convert %d_own.while#2 : tensor<1x64x1x24xf32>
      %d_own.reshape_4 = stablehlo.reshape %d_own.convert_2 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
      %d_own.reshape_5 = stablehlo.reshape %d_h.dynamic_slice_16 : (tensor<1x64x24xf32>) -> tensor<1x64x1x24xf32>
      %d_own.reduce_window_1 = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %d_own.minimum_1 = stablehlo.minimum %d_own.reduce_window_1, %c_12 : tensor<1x4xi32>
      %cst_100 = stablehlo.constant dense<0.000000e+00> : tensor<4x1x24x32xf32>
      %d_own.while_1:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_100) : tensor<i32>, tensor<i32>, tensor<4x1x24x32xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum_1, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_5, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %cst_107 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x24xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_25, %cst_107 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_2, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %cst_108 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x32xf32>
        %d_own.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %d_own.select_1 = stablehlo.select %d_own.broadcast_in_dim_6, %d_own.reshape_26, %cst_108 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.select : (tensor<64x1x24xf32>) -> tensor<64x24xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.select_1 : (tensor<64x1x32xf32>) -> tensor<64x32xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_27, %d_own.reshape_28, contracting_dims = [0] x [0] : (tensor<64x24xf32>, tensor<64x32xf32>) -> tensor<24x32xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.dot_general_9 : (tensor<24x32xf32>) -> tensor<1x1x24x32xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 24, 32] : (tensor<4x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x24x32xf32>
        %d_own.add_2 = stablehlo.add %d_own.dynamic_slice_4, %d_own.reshape_29 : tensor<1x1x24x32xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.add_2, %d_own.reduce, %d_own.divide, %c_14, %c_14 : (tensor<4x1x24x32xf32>, tensor<1x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<4x1x24x32xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_3 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_3, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_4 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_4, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<4x1x24x32xf32>
      }
      %d_own.convert_3 = stablehlo.convert %d_own.while_1#2 : tensor<4x1x24x32xf32>
      %d_inner.multiply = stablehlo.multiply %d_own.reshape_4, %d_h.reshape_12 : tensor<64x24xf32>
      %d_inner.multiply_1 = stablehlo.multiply %d_own.reshape_4, %d_h.reshape_13 : tensor<64x24xf32>
      %d_inner.logistic = stablehlo.logistic %d_h.reshape_14 : tensor<64x24xf32>
      %d_inner.negate = stablehlo.negate %d_inner.logistic : tensor<64x24xf32>
      %cst_101 = stablehlo.constant dense<1.000000e+00> : tensor<64x24xf32>
      %d_inner.add = stablehlo.add %d_inner.negate, %cst_101 : tensor<64x24xf32>
      %d_inner.multiply_2 = stablehlo.multiply %d_h.reshape_14, %d_inner.add : tensor<64x24xf32>
      %d_inner.add_1 = stablehlo.add %d_inner.multiply_2, %cst_101 : tensor<64x24xf32>
      %d_inner.multiply_3 = stablehlo.multiply %d_inner.logistic, %d_inner.add_1 : tensor<64x24xf32>
      %d_inner = stablehlo.multiply %d_inner.multiply, %d_inner.multiply_3 : tensor<64x24xf32>
      %d_own.convert_4 = stablehlo.convert %d_inner.multiply_1 : tensor<64x24xf32>
      %d_own.transpose_1 = stablehlo.transpose %d_h.reshape_5, dims = [0, 2, 1] : (tensor<4x32x24xf32>) -> tensor<4x24x32xf32>
      %d_own.reshape_6 = stablehlo.reshape %d_own.convert_4 : (tensor<64x24xf32>) -> tensor<1x64x1x24xf32>
      %d_own.reshape_7 = stablehlo.reshape %d_own.transpose_1 : (tensor<4x24x32xf32>) -> tensor<4x1x24x32xf32>
      %d_own.reduce_window_2 = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %d_own.minimum_2 = stablehlo.minimum %d_own.reduce_window_2, %c_12 : tensor<1x4xi32>
      %cst_102 = stablehlo.constant dense<0.000000e+00> : tensor<1x64x1x32xf32>
      %d_own.while_2:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_102) : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum_2, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_7, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 24, 32] : (tensor<4x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x24x32xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x1x24x32xf32>) -> tensor<24x32xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_6, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_26, %d_own.reshape_25, contracting_dims = [1] x [0] : (tensor<64x24xf32>, tensor<24x32xf32>) -> tensor<64x32xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.dot_general_9 : (tensor<64x32xf32>) -> tensor<64x1x32xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.dynamic_slice_4 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_27, %d_own.reshape_28 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.select : (tensor<64x1x32xf32>) -> tensor<1x64x1x32xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.reshape_29, %iterArg_12, %d_own.minimum_6, %c_14, %c_14 : (tensor<1x64x1x32xf32>, tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_2 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_2, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_3 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_3, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      }
      %d_own.convert_5 = stablehlo.convert %d_own.while_2#2 : tensor<1x64x1x32xf32>
      %d_own.reshape_8 = stablehlo.reshape %d_own.convert_5 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
      %d_own.reshape_9 = stablehlo.reshape %d_h.dynamic_slice_20 : (tensor<1x64x32xf32>) -> tensor<1x64x1x32xf32>
      %d_own.reduce_window_3 = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %d_own.minimum_3 = stablehlo.minimum %d_own.reduce_window_3, %c_12 : tensor<1x4xi32>
      %cst_103 = stablehlo.constant dense<0.000000e+00> : tensor<4x1x32x24xf32>
      %d_own.while_3:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_103) : tensor<i32>, tensor<i32>, tensor<4x1x32x24xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum_3, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_9, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %cst_107 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x32xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_25, %cst_107 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_6, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %cst_108 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x24xf32>
        %d_own.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %d_own.select_1 = stablehlo.select %d_own.broadcast_in_dim_6, %d_own.reshape_26, %cst_108 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.select : (tensor<64x1x32xf32>) -> tensor<64x32xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.select_1 : (tensor<64x1x24xf32>) -> tensor<64x24xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_27, %d_own.reshape_28, contracting_dims = [0] x [0] : (tensor<64x32xf32>, tensor<64x24xf32>) -> tensor<32x24xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.dot_general_9 : (tensor<32x24xf32>) -> tensor<1x1x32x24xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %d_own.add_2 = stablehlo.add %d_own.dynamic_slice_4, %d_own.reshape_29 : tensor<1x1x32x24xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.add_2, %d_own.reduce, %d_own.divide, %c_14, %c_14 : (tensor<4x1x32x24xf32>, tensor<1x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<4x1x32x24xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_3 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_3, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_4 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_4, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<4x1x32x24xf32>
      }
      %d_own.convert_6 = stablehlo.convert %d_own.while_3#2 : tensor<4x1x32x24xf32>
      %d_own.convert_7 = stablehlo.convert %d_inner : tensor<64x24xf32>
      %d_own.transpose_2 = stablehlo.transpose %d_h.reshape_4, dims = [0, 2, 1] : (tensor<4x32x24xf32>) -> tensor<4x24x32xf32>
      %d_own.reshape_10 = stablehlo.reshape %d_own.convert_7 : (tensor<64x24xf32>) -> tensor<1x64x1x24xf32>
      %d_own.reshape_11 = stablehlo.reshape %d_own.transpose_2 : (tensor<4x24x32xf32>) -> tensor<4x1x24x32xf32>
      %d_own.reduce_window_4 = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %d_own.minimum_4 = stablehlo.minimum %d_own.reduce_window_4, %c_12 : tensor<1x4xi32>
      %d_own.while_4:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_102) : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum_4, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_11, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 24, 32] : (tensor<4x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x24x32xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x1x24x32xf32>) -> tensor<24x32xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_10, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x24xf32>) -> tensor<64x24xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_26, %d_own.reshape_25, contracting_dims = [1] x [0] : (tensor<64x24xf32>, tensor<24x32xf32>) -> tensor<64x32xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.dot_general_9 : (tensor<64x32xf32>) -> tensor<64x1x32xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.dynamic_slice_4 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_27, %d_own.reshape_28 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.select : (tensor<64x1x32xf32>) -> tensor<1x64x1x32xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.reshape_29, %iterArg_12, %d_own.minimum_6, %c_14, %c_14 : (tensor<1x64x1x32xf32>, tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_2 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_2, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_3 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_3, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x64x1x32xf32>
      }
      %d_own.convert_8 = stablehlo.convert %d_own.while_4#2 : tensor<1x64x1x32xf32>
      %d_own.reshape_12 = stablehlo.reshape %d_own.convert_8 : (tensor<1x64x1x32xf32>) -> tensor<64x32xf32>
      %d_own.reduce_window_5 = "stablehlo.reduce_window"(%d_own.maximum, %c_9) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %d_own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %d_own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %d_own.minimum_5 = stablehlo.minimum %d_own.reduce_window_5, %c_12 : tensor<1x4xi32>
      %d_own.while_5:3 = stablehlo.while(%iterArg_12 = %c_9, %iterArg_13 = %c_9, %iterArg_14 = %cst_103) : tensor<i32>, tensor<i32>, tensor<4x1x32x24xf32>
      cond {
        %c_14 = stablehlo.constant dense<1> : tensor<i32>
        %d_own_3 = stablehlo.compare LT, %iterArg_12, %c_14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %d_own_3 : tensor<i1>
      } do {
        %c_14 = stablehlo.constant dense<0> : tensor<i32>
        %d_own.dynamic_slice = stablehlo.dynamic_slice %d_own.minimum_5, %iterArg_12, %c_14, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %d_own.reshape_23 = stablehlo.reshape %d_own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %d_own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %d_own.compare = stablehlo.compare LE, %d_own.reshape_23, %d_own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %d_own.convert_10 = stablehlo.convert %d_own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %d_own.reduce = stablehlo.reduce(%d_own.convert_10 init: %c_14) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %d_own.dynamic_slice_1 = stablehlo.dynamic_slice %d_own.reshape_23, %d_own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %d_own.reshape_24 = stablehlo.reshape %d_own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %d_own.minimum_6 = stablehlo.minimum %iterArg_13, %c_14 : tensor<i32>
        %d_own.iota = stablehlo.iota dim = 0 : tensor<64xi32>
        %d_own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_own.minimum_6, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.add_1 = stablehlo.add %d_own.iota, %d_own.broadcast_in_dim_2 : tensor<64xi32>
        %d_own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_13, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_1 = stablehlo.compare GE, %d_own.add_1, %d_own.broadcast_in_dim_3, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_own.reshape_24, dims = [] : (tensor<i32>) -> tensor<64xi32>
        %d_own.compare_2 = stablehlo.compare LT, %d_own.add_1, %d_own.broadcast_in_dim_4, SIGNED : (tensor<64xi32>, tensor<64xi32>) -> tensor<64xi1>
        %d_own.and = stablehlo.and %d_own.compare_1, %d_own.compare_2 : tensor<64xi1>
        %c_15 = stablehlo.constant dense<1> : tensor<i32>
        %d_own.divide = stablehlo.divide %iterArg_12, %c_15 : tensor<i32>
        %d_own.dynamic_slice_2 = stablehlo.dynamic_slice %d_own.reshape_9, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 32] : (tensor<1x64x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x32xf32>
        %d_own.reshape_25 = stablehlo.reshape %d_own.dynamic_slice_2 : (tensor<1x64x1x32xf32>) -> tensor<64x1x32xf32>
        %cst_107 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x32xf32>
        %d_own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x32xi1>
        %d_own.select = stablehlo.select %d_own.broadcast_in_dim_5, %d_own.reshape_25, %cst_107 : tensor<64x1x32xi1>, tensor<64x1x32xf32>
        %d_own.dynamic_slice_3 = stablehlo.dynamic_slice %d_own.reshape_10, %iterArg_12, %d_own.minimum_6, %c_14, %c_14, sizes = [1, 64, 1, 24] : (tensor<1x64x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x1x24xf32>
        %d_own.reshape_26 = stablehlo.reshape %d_own.dynamic_slice_3 : (tensor<1x64x1x24xf32>) -> tensor<64x1x24xf32>
        %cst_108 = stablehlo.constant dense<0.000000e+00> : tensor<64x1x24xf32>
        %d_own.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %d_own.and, dims = [0] : (tensor<64xi1>) -> tensor<64x1x24xi1>
        %d_own.select_1 = stablehlo.select %d_own.broadcast_in_dim_6, %d_own.reshape_26, %cst_108 : tensor<64x1x24xi1>, tensor<64x1x24xf32>
        %d_own.reshape_27 = stablehlo.reshape %d_own.select : (tensor<64x1x32xf32>) -> tensor<64x32xf32>
        %d_own.reshape_28 = stablehlo.reshape %d_own.select_1 : (tensor<64x1x24xf32>) -> tensor<64x24xf32>
        %d_own.dot_general_9 = stablehlo.dot_general %d_own.reshape_27, %d_own.reshape_28, contracting_dims = [0] x [0] : (tensor<64x32xf32>, tensor<64x24xf32>) -> tensor<32x24xf32>
        %d_own.reshape_29 = stablehlo.reshape %d_own.dot_general_9 : (tensor<32x24xf32>) -> tensor<1x1x32x24xf32>
        %d_own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_14, %d_own.reduce, %d_own.divide, %c_14, %c_14, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %d_own.add_2 = stablehlo.add %d_own.dynamic_slice_4, %d_own.reshape_29 : tensor<1x1x32x24xf32>
        %d_own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_14, %d_own.add_2, %d_own.reduce, %d_own.divide, %c_14, %c_14 : (tensor<4x1x32x24xf32>, tensor<1x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<4x1x32x24xf32>
        %c_16 = stablehlo.constant dense<64> : tensor<i32>
        %d_own.add_3 = stablehlo.add %d_own.minimum_6, %c_16 : tensor<i32>
        %d_own.minimum_7 = stablehlo.minimum %d_own.add_3, %d_own.reshape_24 : tensor<i32>
        %d_own.slice = stablehlo.slice %d_own.reshape_23 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %d_own.reshape_30 = stablehlo.reshape %d_own.slice : (tensor<1xi32>) -> tensor<i32>
        %d_own.compare_3 = stablehlo.compare GE, %d_own.minimum_7, %d_own.reshape_30, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %d_own.convert_11 = stablehlo.convert %d_own.compare_3 : (tensor<i1>) -> tensor<i32>
        %d_own.add_4 = stablehlo.add %iterArg_12, %d_own.convert_11 : tensor<i32>
        %d_own_3 = stablehlo.select %d_own.compare_3, %c_14, %d_own.minimum_7 : tensor<i1>, tensor<i32>
        stablehlo.return %d_own.add_4, %d_own_3, %d_own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<4x1x32x24xf32>
      }
      %d_own.convert_9 = stablehlo.convert %d_own.while_5#2 : tensor<4x1x32x24xf32>
      %d_own_1 = stablehlo.add %d_own.reshape_8, %d_own.reshape_12 : tensor<64x32xf32>
      %d_gather = "stablehlo.gather"(%d_own_1, %at_2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<64x32xf32>, tensor<2x32xi32>) -> tensor<2x32x32xf32>
      %d_reduce_1 = stablehlo.reduce(%d_gather init: %cst_93) applies stablehlo.add across dimensions = [0] : (tensor<2x32x32xf32>, tensor<f32>) -> tensor<32x32xf32>
      %d_fed = stablehlo.reshape %d_reduce_1 : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %d_multiply_2 = stablehlo.multiply %d_h.reshape_31, %cst_93 : tensor<f32>
      %d_multiply_3 = stablehlo.multiply %d_multiply_2, %cst_98 : tensor<f32>
      %d_broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_multiply_3, dims = [] : (tensor<f32>) -> tensor<32xf32>
      %d_multiply_4 = stablehlo.multiply %d_broadcast_in_dim_1, %d_h.reshape_15 : tensor<32xf32>
      %d_add = stablehlo.add %d_multiply_4, %d_multiply_4 : tensor<32xf32>
      %d_is_finite = stablehlo.is_finite %d_h.reshape_15 : (tensor<32xf32>) -> tensor<32xi1>
      %cst_104 = stablehlo.constant dense<0.000000e+00> : tensor<32xf32>
      %d_select_1 = stablehlo.select %d_is_finite, %d_h.reshape_15, %cst_104 : tensor<32xi1>, tensor<32xf32>
      %d_broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_select_1, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %d_subtract = stablehlo.subtract %d_h.reshape_16, %d_broadcast_in_dim_2 : tensor<32x4xf32>
      %d_exponential = stablehlo.exponential %d_subtract : tensor<32x4xf32>
      %d_broadcast_in_dim_3 = stablehlo.broadcast_in_dim %d_add, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %d_multiply_5 = stablehlo.multiply %d_exponential, %d_broadcast_in_dim_3 : tensor<32x4xf32>
      %d_multiply_6 = stablehlo.multiply %d_h.reshape_31, %cst_97 : tensor<f32>
      %d_multiply_7 = stablehlo.multiply %d_multiply_6, %cst_96 : tensor<f32>
      %d_broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_multiply_7, dims = [] : (tensor<f32>) -> tensor<4xf32>
      %d_multiply_8 = stablehlo.multiply %d_broadcast_in_dim_4, %d_h.reshape_17 : tensor<4xf32>
      %d_mean.multiply = stablehlo.multiply %d_multiply_8, %cst_95 : tensor<4xf32>
      %d_mean = stablehlo.broadcast_in_dim %d_mean.multiply, dims = [1] : (tensor<4xf32>) -> tensor<32x4xf32>
      %d_weight = stablehlo.multiply %d_mixed, %cst_94 : tensor<32x2xf32>
      %d_divide = stablehlo.divide %d_weight, %broadcast_in_dim_2 : tensor<32x2xf32>
      %d_multiply_9 = stablehlo.multiply %d_divide, %d_h.reshape_19 : tensor<32x2xf32>
      %d_negate = stablehlo.negate %d_multiply_9 : tensor<32x2xf32>
      %d_reduce_2 = stablehlo.reduce(%d_negate init: %cst_93) applies stablehlo.add across dimensions = [1] : (tensor<32x2xf32>, tensor<f32>) -> tensor<32xf32>
      %d_broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_reduce_2, dims = [0] : (tensor<32xf32>) -> tensor<32x2xf32>
      %d_add_1 = stablehlo.add %d_divide, %d_broadcast_in_dim_5 : tensor<32x2xf32>
      %c_13 = stablehlo.constant dense<3> : tensor<i32>
      %d_chosen.clamp = stablehlo.clamp %c_9, %d_h.reshape_20, %c_13 : (tensor<i32>, tensor<32x2xi32>, tensor<i32>) -> tensor<32x2xi32>
      %cst_105 = stablehlo.constant dense<0.000000e+00> : tensor<32x4xf32>
      %d_chosen.scatter = "stablehlo.scatter"(%cst_105, %d_chosen.clamp, %d_add_1) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2>, unique_indices = false}> ({
      ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
        %d_chosen_1 = stablehlo.add %arg0, %arg1 : tensor<f32>
        stablehlo.return %d_chosen_1 : tensor<f32>
      }) : (tensor<32x4xf32>, tensor<32x2xi32>, tensor<32x2xf32>) -> tensor<32x4xf32>
      %d_chosen = stablehlo.add %d_mean, %d_chosen.scatter : tensor<32x4xf32>
      %d_scores.multiply = stablehlo.multiply %d_chosen, %d_h.reshape_21 : tensor<32x4xf32>
      %d_scores.reduce = stablehlo.reduce(%d_scores.multiply init: %cst_93) applies stablehlo.add across dimensions = [1] : (tensor<32x4xf32>, tensor<f32>) -> tensor<32xf32>
      %d_scores.broadcast_in_dim = stablehlo.broadcast_in_dim %d_scores.reduce, dims = [0] : (tensor<32xf32>) -> tensor<32x4xf32>
      %d_scores.multiply_1 = stablehlo.multiply %d_h.reshape_21, %d_scores.broadcast_in_dim : tensor<32x4xf32>
      %d_scores.subtract = stablehlo.subtract %d_scores.multiply, %d_scores.multiply_1 : tensor<32x4xf32>
      %d_scores = stablehlo.add %d_multiply_5, %d_scores.subtract : tensor<32x4xf32>
      %d_logits.dot_general = stablehlo.dot_general %d_scores, %d_h.reshape_3, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<32x4xf32>, tensor<32x4xf32>) -> tensor<32x32xf32>
      %d_logits = stablehlo.dot_general %joined, %d_scores, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<32x32xf32>, tensor<32x4xf32>) -> tensor<32x4xf32>
      %d_joined.reshape = stablehlo.reshape %d_logits.dot_general : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %d_joined = stablehlo.add %d_fed, %d_joined.reshape : tensor<2x16x32xf32>
      %d_y.broadcast_in_dim = stablehlo.broadcast_in_dim %d_h.reshape_22, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %d_y.multiply = stablehlo.multiply %d_h.reshape_23, %d_y.broadcast_in_dim : tensor<2x16x32xf32>
      %d_g.broadcast_in_dim = stablehlo.broadcast_in_dim %d_h.reshape_2, dims = [2] : (tensor<32xf32>) -> tensor<2x16x32xf32>
      %d_g.multiply = stablehlo.multiply %d_joined, %d_g.broadcast_in_dim : tensor<2x16x32xf32>
      %d_dx.multiply_3 = stablehlo.multiply %d_g.multiply, %d_y.multiply : tensor<2x16x32xf32>
      %d_dx.reduce_1 = stablehlo.reduce(%d_dx.multiply_3 init: %cst_93) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
      %cst_106 = stablehlo.constant dense<3.125000e-02> : tensor<2x16xf32>
      %d_dx.multiply_4 = stablehlo.multiply %d_dx.reduce_1, %cst_106 : tensor<2x16xf32>
      %d_dx.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_dx.multiply_4, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %d_dx.multiply_5 = stablehlo.multiply %d_y.multiply, %d_dx.broadcast_in_dim_1 : tensor<2x16x32xf32>
      %d_dx.subtract_1 = stablehlo.subtract %d_g.multiply, %d_dx.multiply_5 : tensor<2x16x32xf32>
      %d_dx.multiply_6 = stablehlo.multiply %d_dx.subtract_1, %d_y.broadcast_in_dim : tensor<2x16x32xf32>
      %d_multiply_10 = stablehlo.multiply %d_joined, %d_y.multiply : tensor<2x16x32xf32>
      %d_reduce_3 = stablehlo.reduce(%d_multiply_10 init: %cst_93) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<32xf32>
      %d_add_2 = stablehlo.add %iterArg_1, %d_dx.multiply_6 : tensor<2x16x32xf32>
      %d_own.reshape_13 = stablehlo.reshape %d_add_2 : (tensor<2x16x32xf32>) -> tensor<32x32xf32>
      %d_own.reshape_14 = stablehlo.reshape %d_h.dynamic_slice_4 : (tensor<1x4x8x32xf32>) -> tensor<32x32xf32>
      %d_own.dot_general_1 = stablehlo.dot_general %d_own.reshape_13, %d_own.reshape_14, contracting_dims = [1] x [1] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %d_own.reshape_15 = stablehlo.reshape %attended : (tensor<2x16x2x2x8xf32>) -> tensor<32x32xf32>
      %d_own.dot_general_2 = stablehlo.dot_general %d_own.reshape_15, %d_own.reshape_13, contracting_dims = [0] x [0] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %d_attended.reshape = stablehlo.reshape %d_own.dot_general_1 : (tensor<32x32xf32>) -> tensor<2x16x2x2x8xf32>
      %d_attended.transpose = stablehlo.transpose %d_attended.reshape, dims = [0, 2, 3, 1, 4] : (tensor<2x16x2x2x8xf32>) -> tensor<2x2x2x16x8xf32>
      %d_dProbs = stablehlo.dot_general %d_attended.transpose, %d_h.reshape_25, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [3] : (tensor<2x2x2x16x8xf32>, tensor<2x16x2x8xf32>) -> tensor<2x2x2x16x16xf32>
      %d_weighted = stablehlo.multiply %d_h.reshape_26, %d_dProbs : tensor<2x2x2x16x16xf32>
      %d_dScores.reduce = stablehlo.reduce(%d_weighted init: %cst_93) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x16x16xf32>, tensor<f32>) -> tensor<2x2x2x16xf32>
      %d_dScores.broadcast_in_dim = stablehlo.broadcast_in_dim %d_dScores.reduce, dims = [0, 1, 2, 3] : (tensor<2x2x2x16xf32>) -> tensor<2x2x2x16x16xf32>
      %d_dScores.multiply = stablehlo.multiply %d_h.reshape_26, %d_dScores.broadcast_in_dim : tensor<2x2x2x16x16xf32>
      %d_dScores = stablehlo.subtract %d_weighted, %d_dScores.multiply : tensor<2x2x2x16x16xf32>
      %d_dot_general = stablehlo.dot_general %d_dScores, %d_h.reshape_27, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [1] : (tensor<2x2x2x16x16xf32>, tensor<2x16x2x8xf32>) -> tensor<2x2x2x16x8xf32>
      %d_dot_general_1 = stablehlo.dot_general %d_h.reshape_28, %d_dScores, batching_dims = [0, 2] x [0, 1], contracting_dims = [3, 1] x [2, 3] : (tensor<2x16x2x2x8xf32>, tensor<2x2x2x16x16xf32>) -> tensor<2x2x8x16xf32>
      %d_dot_general_2 = stablehlo.dot_general %d_attended.reshape, %d_h.reshape_26, batching_dims = [0, 2] x [0, 1], contracting_dims = [3, 1] x [2, 3] : (tensor<2x16x2x2x8xf32>, tensor<2x2x2x16x16xf32>) -> tensor<2x2x8x16xf32>
      %d_attended.transpose_1 = stablehlo.transpose %d_dot_general_1, dims = [0, 3, 1, 2] : (tensor<2x2x8x16xf32>) -> tensor<2x16x2x8xf32>
      %d_attended.transpose_2 = stablehlo.transpose %d_dot_general, dims = [0, 3, 1, 2, 4] : (tensor<2x2x2x16x8xf32>) -> tensor<2x16x2x2x8xf32>
      %d_scaled = stablehlo.multiply %d_attended.transpose_2, %cst_92 : tensor<2x16x2x2x8xf32>
      %d_attended = stablehlo.reshape %d_scaled : (tensor<2x16x2x2x8xf32>) -> tensor<2x16x4x8xf32>
      %d_own.dot_general_3 = stablehlo.dot_general %d_dot_general_2, %d_h.reshape_1, contracting_dims = [1, 2] x [1, 2] : (tensor<2x2x8x16xf32>, tensor<32x2x8xf32>) -> tensor<2x16x32xf32>
      %d_own.dot_general_4 = stablehlo.dot_general %d_h.reshape_29, %d_dot_general_2, contracting_dims = [0, 1] x [0, 3] : (tensor<2x16x32xf32>, tensor<2x2x8x16xf32>) -> tensor<32x2x8xf32>
      %d_negate_1 = stablehlo.negate %attended.sine : tensor<16x4xf32>
      %d_slice = stablehlo.slice %d_attended.transpose_1 [0:2, 0:16, 0:2, 0:4] : (tensor<2x16x2x8xf32>) -> tensor<2x16x2x4xf32>
      %d_slice_1 = stablehlo.slice %d_attended.transpose_1 [0:2, 0:16, 0:2, 4:8] : (tensor<2x16x2x8xf32>) -> tensor<2x16x2x4xf32>
      %d_broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x2x4xf32>
      %d_multiply_11 = stablehlo.multiply %d_slice, %d_broadcast_in_dim_6 : tensor<2x16x2x4xf32>
      %d_broadcast_in_dim_7 = stablehlo.broadcast_in_dim %d_negate_1, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x2x4xf32>
      %d_multiply_12 = stablehlo.multiply %d_slice_1, %d_broadcast_in_dim_7 : tensor<2x16x2x4xf32>
      %d_subtract_1 = stablehlo.subtract %d_multiply_11, %d_multiply_12 : tensor<2x16x2x4xf32>
      %d_multiply_13 = stablehlo.multiply %d_slice_1, %d_broadcast_in_dim_6 : tensor<2x16x2x4xf32>
      %d_multiply_14 = stablehlo.multiply %d_slice, %d_broadcast_in_dim_7 : tensor<2x16x2x4xf32>
      %d_add_3 = stablehlo.add %d_multiply_13, %d_multiply_14 : tensor<2x16x2x4xf32>
      %d_concatenate = stablehlo.concatenate %d_subtract_1, %d_add_3, dim = 3 : (tensor<2x16x2x4xf32>, tensor<2x16x2x4xf32>) -> tensor<2x16x2x8xf32>
      %d_own.reshape_16 = stablehlo.reshape %d_concatenate : (tensor<2x16x2x8xf32>) -> tensor<32x16xf32>
      %d_own.reshape_17 = stablehlo.reshape %d_h.dynamic_slice_2 : (tensor<1x32x2x8xf32>) -> tensor<32x16xf32>
      %d_own.dot_general_5 = stablehlo.dot_general %d_own.reshape_16, %d_own.reshape_17, contracting_dims = [1] x [1] : (tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<32x32xf32>
      %d_own.reshape_18 = stablehlo.reshape %d_own.dot_general_5 : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %d_own.reshape_19 = stablehlo.reshape %d_h.dynamic_slice_36 : (tensor<1x2x16x32xf32>) -> tensor<32x32xf32>
      %d_own.dot_general_6 = stablehlo.dot_general %d_own.reshape_19, %d_own.reshape_16, contracting_dims = [0] x [0] : (tensor<32x32xf32>, tensor<32x16xf32>) -> tensor<32x16xf32>
      %d_own.add = stablehlo.add %d_own.dot_general_3, %d_own.reshape_18 : tensor<2x16x32xf32>
      %d_slice_2 = stablehlo.slice %d_attended [0:2, 0:16, 0:4, 0:4] : (tensor<2x16x4x8xf32>) -> tensor<2x16x4x4xf32>
      %d_slice_3 = stablehlo.slice %d_attended [0:2, 0:16, 0:4, 4:8] : (tensor<2x16x4x8xf32>) -> tensor<2x16x4x4xf32>
      %d_broadcast_in_dim_8 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x4x4xf32>
      %d_multiply_15 = stablehlo.multiply %d_slice_2, %d_broadcast_in_dim_8 : tensor<2x16x4x4xf32>
      %d_broadcast_in_dim_9 = stablehlo.broadcast_in_dim %d_negate_1, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<2x16x4x4xf32>
      %d_multiply_16 = stablehlo.multiply %d_slice_3, %d_broadcast_in_dim_9 : tensor<2x16x4x4xf32>
      %d_subtract_2 = stablehlo.subtract %d_multiply_15, %d_multiply_16 : tensor<2x16x4x4xf32>
      %d_multiply_17 = stablehlo.multiply %d_slice_3, %d_broadcast_in_dim_8 : tensor<2x16x4x4xf32>
      %d_multiply_18 = stablehlo.multiply %d_slice_2, %d_broadcast_in_dim_9 : tensor<2x16x4x4xf32>
      %d_add_4 = stablehlo.add %d_multiply_17, %d_multiply_18 : tensor<2x16x4x4xf32>
      %d_concatenate_1 = stablehlo.concatenate %d_subtract_2, %d_add_4, dim = 3 : (tensor<2x16x4x4xf32>, tensor<2x16x4x4xf32>) -> tensor<2x16x4x8xf32>
      %d_own.reshape_20 = stablehlo.reshape %d_concatenate_1 : (tensor<2x16x4x8xf32>) -> tensor<32x32xf32>
      %d_own.reshape_21 = stablehlo.reshape %d_h.dynamic_slice_1 : (tensor<1x32x4x8xf32>) -> tensor<32x32xf32>
      %d_own.dot_general_7 = stablehlo.dot_general %d_own.reshape_20, %d_own.reshape_21, contracting_dims = [1] x [1] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %d_own.reshape_22 = stablehlo.reshape %d_own.dot_general_7 : (tensor<32x32xf32>) -> tensor<2x16x32xf32>
      %d_own.dot_general_8 = stablehlo.dot_general %d_own.reshape_19, %d_own.reshape_20, contracting_dims = [0] x [0] : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      %d_own_2 = stablehlo.add %d_own.add, %d_own.reshape_22 : tensor<2x16x32xf32>
      %d_y.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_h.reshape_30, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %d_y = stablehlo.multiply %d_h.reshape_7, %d_y.broadcast_in_dim_1 : tensor<2x16x32xf32>
      %d_g.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_h.reshape, dims = [2] : (tensor<32xf32>) -> tensor<2x16x32xf32>
      %d_g_1 = stablehlo.multiply %d_own_2, %d_g.broadcast_in_dim_1 : tensor<2x16x32xf32>
      %d_dx.multiply_7 = stablehlo.multiply %d_g_1, %d_y : tensor<2x16x32xf32>
      %d_dx.reduce_2 = stablehlo.reduce(%d_dx.multiply_7 init: %cst_93) applies stablehlo.add across dimensions = [2] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<2x16xf32>
      %d_dx.multiply_8 = stablehlo.multiply %d_dx.reduce_2, %cst_106 : tensor<2x16xf32>
      %d_dx.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_dx.multiply_8, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x32xf32>
      %d_dx.multiply_9 = stablehlo.multiply %d_y, %d_dx.broadcast_in_dim_2 : tensor<2x16x32xf32>
      %d_dx.subtract_2 = stablehlo.subtract %d_g_1, %d_dx.multiply_9 : tensor<2x16x32xf32>
      %d_dx_1 = stablehlo.multiply %d_dx.subtract_2, %d_y.broadcast_in_dim_1 : tensor<2x16x32xf32>
      %d_multiply_19 = stablehlo.multiply %d_own_2, %d_y : tensor<2x16x32xf32>
      %d_reduce_4 = stablehlo.reduce(%d_multiply_19 init: %cst_93) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<32xf32>
      %d_add_5 = stablehlo.add %d_add_2, %d_dx_1 : tensor<2x16x32xf32>
      %d_h.reshape_32 = stablehlo.reshape %d_reduce_4 : (tensor<32xf32>) -> tensor<1x32xf32>
      %d_h.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_2, %d_h.reshape_32, %d_h.subtract, %c_9 : (tensor<2x32xf32>, tensor<1x32xf32>, tensor<i32>, tensor<i32>) -> tensor<2x32xf32>
      %d_h.reshape_33 = stablehlo.reshape %d_own.dot_general_8 : (tensor<32x32xf32>) -> tensor<1x32x4x8xf32>
      %d_h.dynamic_update_slice_1 = stablehlo.dynamic_update_slice %iterArg_3, %d_h.reshape_33, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x32x4x8xf32>, tensor<1x32x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x4x8xf32>
      %d_h.reshape_34 = stablehlo.reshape %d_own.dot_general_6 : (tensor<32x16xf32>) -> tensor<1x32x2x8xf32>
      %d_h.dynamic_update_slice_2 = stablehlo.dynamic_update_slice %iterArg_4, %d_h.reshape_34, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x32x2x8xf32>, tensor<1x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x2x8xf32>
      %d_h.reshape_35 = stablehlo.reshape %d_own.dot_general_4 : (tensor<32x2x8xf32>) -> tensor<1x32x2x8xf32>
      %d_h.dynamic_update_slice_3 = stablehlo.dynamic_update_slice %iterArg_5, %d_h.reshape_35, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x32x2x8xf32>, tensor<1x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x2x8xf32>
      %d_h.reshape_36 = stablehlo.reshape %d_own.dot_general_2 : (tensor<32x32xf32>) -> tensor<1x4x8x32xf32>
      %d_h.dynamic_update_slice_4 = stablehlo.dynamic_update_slice %iterArg_6, %d_h.reshape_36, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x4x8x32xf32>, tensor<1x4x8x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x4x8x32xf32>
      %d_h.reshape_37 = stablehlo.reshape %d_reduce_3 : (tensor<32xf32>) -> tensor<1x32xf32>
      %d_h.dynamic_update_slice_5 = stablehlo.dynamic_update_slice %iterArg_7, %d_h.reshape_37, %d_h.subtract, %c_9 : (tensor<2x32xf32>, tensor<1x32xf32>, tensor<i32>, tensor<i32>) -> tensor<2x32xf32>
      %d_h.reshape_38 = stablehlo.reshape %d_logits : (tensor<32x4xf32>) -> tensor<1x32x4xf32>
      %d_h.dynamic_update_slice_6 = stablehlo.dynamic_update_slice %iterArg_8, %d_h.reshape_38, %d_h.subtract, %c_9, %c_9 : (tensor<2x32x4xf32>, tensor<1x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x32x4xf32>
      %d_h.reshape_39 = stablehlo.reshape %d_own.convert_9 : (tensor<4x1x32x24xf32>) -> tensor<1x4x32x24xf32>
      %d_h.dynamic_update_slice_7 = stablehlo.dynamic_update_slice %iterArg_9, %d_h.reshape_39, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x4x32x24xf32>, tensor<1x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x4x32x24xf32>
      %d_h.reshape_40 = stablehlo.reshape %d_own.convert_6 : (tensor<4x1x32x24xf32>) -> tensor<1x4x32x24xf32>
      %d_h.dynamic_update_slice_8 = stablehlo.dynamic_update_slice %iterArg_10, %d_h.reshape_40, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x4x32x24xf32>, tensor<1x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x4x32x24xf32>
      %d_h.reshape_41 = stablehlo.reshape %d_own.convert_3 : (tensor<4x1x24x32xf32>) -> tensor<1x4x24x32xf32>
      %d_h.dynamic_update_slice_9 = stablehlo.dynamic_update_slice %iterArg_11, %d_h.reshape_41, %d_h.subtract, %c_9, %c_9, %c_9 : (tensor<2x4x24x32xf32>, tensor<1x4x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x4x24x32xf32>
      %d_h_1 = stablehlo.add %iterArg, %c_8 : tensor<i32>
      stablehlo.return %d_h_1, %d_add_5, %d_h.dynamic_update_slice, %d_h.dynamic_update_slice_1, %d_h.dynamic_update_slice_2, %d_h.dynamic_update_slice_3, %d_h.dynamic_update_slice_4, %d_h.dynamic_update_slice_5, %d_h.dynamic_update_slice_6, %d_h.dynamic_update_slice_7, %d_h.dynamic_update_slice_8, %d_h.dynamic_update_slice_9 : tensor<i32>, tensor<2x16x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>
    }
    %c_6 = stablehlo.constant dense<63> : tensor<i32>
    %d_x.clamp = stablehlo.clamp %c_1, %inputs, %c_6 : (tensor<i32>, tensor<2x16xi32>, tensor<i32>) -> tensor<2x16xi32>
    %cst_25 = stablehlo.constant dense<0.000000e+00> : tensor<64x32xf32>
    %d_x = "stablehlo.scatter"(%cst_25, %d_x.clamp, %d_h#1) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 2>, unique_indices = false}> ({
    ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
      %d_x_1 = stablehlo.add %arg0, %arg1 : tensor<f32>
      stablehlo.return %d_x_1 : tensor<f32>
    }) : (tensor<64x32xf32>, tensor<2x16xi32>, tensor<2x16x32xf32>) -> tensor<64x32xf32>
    %gradNorm.multiply = stablehlo.multiply %d_x, %d_x : tensor<64x32xf32>
    %gradNorm.reduce = stablehlo.reduce(%gradNorm.multiply init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<64x32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_1 = stablehlo.multiply %d_h#2, %d_h#2 : tensor<2x32xf32>
    %gradNorm.reduce_1 = stablehlo.reduce(%gradNorm.multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_2 = stablehlo.multiply %d_h#3, %d_h#3 : tensor<2x32x4x8xf32>
    %gradNorm.reduce_2 = stablehlo.reduce(%gradNorm.multiply_2 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x4x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_3 = stablehlo.multiply %d_h#4, %d_h#4 : tensor<2x32x2x8xf32>
    %gradNorm.reduce_3 = stablehlo.reduce(%gradNorm.multiply_3 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_4 = stablehlo.multiply %d_h#5, %d_h#5 : tensor<2x32x2x8xf32>
    %gradNorm.reduce_4 = stablehlo.reduce(%gradNorm.multiply_4 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_5 = stablehlo.multiply %d_h#6, %d_h#6 : tensor<2x4x8x32xf32>
    %gradNorm.reduce_5 = stablehlo.reduce(%gradNorm.multiply_5 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x8x32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_6 = stablehlo.multiply %d_h#7, %d_h#7 : tensor<2x32xf32>
    %gradNorm.reduce_6 = stablehlo.reduce(%gradNorm.multiply_6 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_7 = stablehlo.multiply %d_h#8, %d_h#8 : tensor<2x32x4xf32>
    %gradNorm.reduce_7 = stablehlo.reduce(%gradNorm.multiply_7 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x32x4xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_8 = stablehlo.multiply %d_h#9, %d_h#9 : tensor<2x4x32x24xf32>
    %gradNorm.reduce_8 = stablehlo.reduce(%gradNorm.multiply_8 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x32x24xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_9 = stablehlo.multiply %d_h#10, %d_h#10 : tensor<2x4x32x24xf32>
    %gradNorm.reduce_9 = stablehlo.reduce(%gradNorm.multiply_9 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x32x24xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_10 = stablehlo.multiply %d_h#11, %d_h#11 : tensor<2x4x24x32xf32>
    %gradNorm.reduce_10 = stablehlo.reduce(%gradNorm.multiply_10 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x24x32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_11 = stablehlo.multiply %d_reduce, %d_reduce : tensor<32xf32>
    %gradNorm.reduce_11 = stablehlo.reduce(%gradNorm.multiply_11 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<32xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_12 = stablehlo.multiply %d_own, %d_own : tensor<32x64xf32>
    %gradNorm.reduce_12 = stablehlo.reduce(%gradNorm.multiply_12 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<32x64xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.add = stablehlo.add %gradNorm.reduce, %gradNorm.reduce_1 : tensor<f32>
    %gradNorm.add_1 = stablehlo.add %gradNorm.add, %gradNorm.reduce_2 : tensor<f32>
    %gradNorm.add_2 = stablehlo.add %gradNorm.add_1, %gradNorm.reduce_3 : tensor<f32>
    %gradNorm.add_3 = stablehlo.add %gradNorm.add_2, %gradNorm.reduce_4 : tensor<f32>
    %gradNorm.add_4 = stablehlo.add %gradNorm.add_3, %gradNorm.reduce_5 : tensor<f32>
    %gradNorm.add_5 = stablehlo.add %gradNorm.add_4, %gradNorm.reduce_6 : tensor<f32>
    %gradNorm.add_6 = stablehlo.add %gradNorm.add_5, %gradNorm.reduce_7 : tensor<f32>
    %gradNorm.add_7 = stablehlo.add %gradNorm.add_6, %gradNorm.reduce_8 : tensor<f32>
    %gradNorm.add_8 = stablehlo.add %gradNorm.add_7, %gradNorm.reduce_9 : tensor<f32>
    %gradNorm.add_9 = stablehlo.add %gradNorm.add_8, %gradNorm.reduce_10 : tensor<f32>
    %gradNorm.add_10 = stablehlo.add %gradNorm.add_9, %gradNorm.reduce_11 : tensor<f32>
    %gradNorm.add_11 = stablehlo.add %gradNorm.add_10, %gradNorm.reduce_12 : tensor<f32>
    %gradNorm = stablehlo.sqrt %gradNorm.add_11 : tensor<f32>
    %paramNorm.multiply = stablehlo.multiply %params.tokens.weight, %params.tokens.weight : tensor<64x32xf32>
    %paramNorm.reduce = stablehlo.reduce(%paramNorm.multiply init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<64x32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_1 = stablehlo.multiply %params.blocks.attentionNorm.scale, %params.blocks.attentionNorm.scale : tensor<2x32xf32>
    %paramNorm.reduce_1 = stablehlo.reduce(%paramNorm.multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_2 = stablehlo.multiply %params.blocks.attention.query.weight, %params.blocks.attention.query.weight : tensor<2x32x4x8xf32>
    %paramNorm.reduce_2 = stablehlo.reduce(%paramNorm.multiply_2 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x4x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_3 = stablehlo.multiply %params.blocks.attention.key.weight, %params.blocks.attention.key.weight : tensor<2x32x2x8xf32>
    %paramNorm.reduce_3 = stablehlo.reduce(%paramNorm.multiply_3 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_4 = stablehlo.multiply %params.blocks.attention.value.weight, %params.blocks.attention.value.weight : tensor<2x32x2x8xf32>
    %paramNorm.reduce_4 = stablehlo.reduce(%paramNorm.multiply_4 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x32x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_5 = stablehlo.multiply %params.blocks.attention.output.weight, %params.blocks.attention.output.weight : tensor<2x4x8x32xf32>
    %paramNorm.reduce_5 = stablehlo.reduce(%paramNorm.multiply_5 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x8x32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_6 = stablehlo.multiply %params.blocks.mlpNorm.scale, %params.blocks.mlpNorm.scale : tensor<2x32xf32>
    %paramNorm.reduce_6 = stablehlo.reduce(%paramNorm.multiply_6 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_7 = stablehlo.multiply %params.blocks.mlp.router.weight, %params.blocks.mlp.router.weight : tensor<2x32x4xf32>
    %paramNorm.reduce_7 = stablehlo.reduce(%paramNorm.multiply_7 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x32x4xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_8 = stablehlo.multiply %params.blocks.mlp.gate.weight, %params.blocks.mlp.gate.weight : tensor<2x4x32x24xf32>
    %paramNorm.reduce_8 = stablehlo.reduce(%paramNorm.multiply_8 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x32x24xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_9 = stablehlo.multiply %params.blocks.mlp.up.weight, %params.blocks.mlp.up.weight : tensor<2x4x32x24xf32>
    %paramNorm.reduce_9 = stablehlo.reduce(%paramNorm.multiply_9 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x32x24xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_10 = stablehlo.multiply %params.blocks.mlp.down.weight, %params.blocks.mlp.down.weight : tensor<2x4x24x32xf32>
    %paramNorm.reduce_10 = stablehlo.reduce(%paramNorm.multiply_10 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x4x24x32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_11 = stablehlo.multiply %params.norm.scale, %params.norm.scale : tensor<32xf32>
    %paramNorm.reduce_11 = stablehlo.reduce(%paramNorm.multiply_11 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<32xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_12 = stablehlo.multiply %params.head.weight, %params.head.weight : tensor<32x64xf32>
    %paramNorm.reduce_12 = stablehlo.reduce(%paramNorm.multiply_12 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<32x64xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.add = stablehlo.add %paramNorm.reduce, %paramNorm.reduce_1 : tensor<f32>
    %paramNorm.add_1 = stablehlo.add %paramNorm.add, %paramNorm.reduce_2 : tensor<f32>
    %paramNorm.add_2 = stablehlo.add %paramNorm.add_1, %paramNorm.reduce_3 : tensor<f32>
    %paramNorm.add_3 = stablehlo.add %paramNorm.add_2, %paramNorm.reduce_4 : tensor<f32>
    %paramNorm.add_4 = stablehlo.add %paramNorm.add_3, %paramNorm.reduce_5 : tensor<f32>
    %paramNorm.add_5 = stablehlo.add %paramNorm.add_4, %paramNorm.reduce_6 : tensor<f32>
    %paramNorm.add_6 = stablehlo.add %paramNorm.add_5, %paramNorm.reduce_7 : tensor<f32>
    %paramNorm.add_7 = stablehlo.add %paramNorm.add_6, %paramNorm.reduce_8 : tensor<f32>
    %paramNorm.add_8 = stablehlo.add %paramNorm.add_7, %paramNorm.reduce_9 : tensor<f32>
    %paramNorm.add_9 = stablehlo.add %paramNorm.add_8, %paramNorm.reduce_10 : tensor<f32>
    %paramNorm.add_10 = stablehlo.add %paramNorm.add_9, %paramNorm.reduce_11 : tensor<f32>
    %paramNorm.add_11 = stablehlo.add %paramNorm.add_10, %paramNorm.reduce_12 : tensor<f32>
    %paramNorm = stablehlo.sqrt %paramNorm.add_11 : tensor<f32>
    %scale.compare = stablehlo.compare LT, %gradNorm, %cst_1, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %scale.divide = stablehlo.divide %cst_1, %gradNorm : tensor<f32>
    %scale = stablehlo.select %scale.compare, %cst_1, %scale.divide : tensor<i1>, tensor<f32>
    %at_1 = stablehlo.convert %step : (tensor<i32>) -> tensor<f32>
    %cst_26 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %rising = stablehlo.multiply %at_1, %cst_26 : tensor<f32>
    %cst_27 = stablehlo.constant dense<1.000000e+02> : tensor<f32>
    %done.subtract = stablehlo.subtract %at_1, %cst_27 : tensor<f32>
    %cst_28 = stablehlo.constant dense<9.000000e+02> : tensor<f32>
    %done.divide = stablehlo.divide %done.subtract, %cst_28 : tensor<f32>
    %done.maximum = stablehlo.maximum %done.divide, %cst : tensor<f32>
    %done = stablehlo.minimum %done.maximum, %cst_1 : tensor<f32>
    %cst_29 = stablehlo.constant dense<3.14159274> : tensor<f32>
    %multiply_2 = stablehlo.multiply %done, %cst_29 : tensor<f32>
    %cosine = stablehlo.cosine %multiply_2 : tensor<f32>
    %add = stablehlo.add %cosine, %cst_1 : tensor<f32>
    %cst_30 = stablehlo.constant dense<4.500000e-04> : tensor<f32>
    %multiply_3 = stablehlo.multiply %add, %cst_30 : tensor<f32>
    %cst_31 = stablehlo.constant dense<9.99999974E-5> : tensor<f32>
    %add_1 = stablehlo.add %multiply_3, %cst_31 : tensor<f32>
    %rate.compare = stablehlo.compare LT, %at_1, %cst_27, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %rate = stablehlo.select %rate.compare, %rising, %add_1 : tensor<i1>, tensor<f32>
    %c_7 = stablehlo.constant dense<1> : tensor<i32>
    %step_1 = stablehlo.add %step, %c_7 : tensor<i32>
    %t = stablehlo.convert %step_1 : (tensor<i32>) -> tensor<f32>
    %cst_32 = stablehlo.constant dense<0.899999976> : tensor<f32>
    %correction1.power = stablehlo.power %cst_32, %t : tensor<f32>
    %negate = stablehlo.negate %correction1.power : tensor<f32>
    %correction1.add = stablehlo.add %negate, %cst_1 : tensor<f32>
    %correction1 = stablehlo.divide %cst_1, %correction1.add : tensor<f32>
    %cst_33 = stablehlo.constant dense<9.900000e-01> : tensor<f32>
    %correction2.power = stablehlo.power %cst_33, %t : tensor<f32>
    %negate_1 = stablehlo.negate %correction2.power : tensor<f32>
    %correction2.add = stablehlo.add %negate_1, %cst_1 : tensor<f32>
    %correction2 = stablehlo.divide %cst_1, %correction2.add : tensor<f32>
    %g.broadcast_in_dim = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<64x32xf32>
    %g.multiply = stablehlo.multiply %d_x, %g.broadcast_in_dim : tensor<64x32xf32>
    %cst_34 = stablehlo.constant dense<0.899999976> : tensor<64x32xf32>
    %mu.multiply = stablehlo.multiply %optimizer.mu.tokens.weight, %cst_34 : tensor<64x32xf32>
    %cst_35 = stablehlo.constant dense<1.000000e-01> : tensor<64x32xf32>
    %mu.multiply_1 = stablehlo.multiply %g.multiply, %cst_35 : tensor<64x32xf32>
    %mu.add = stablehlo.add %mu.multiply, %mu.multiply_1 : tensor<64x32xf32>
    %cst_36 = stablehlo.constant dense<9.900000e-01> : tensor<64x32xf32>
    %nu.multiply = stablehlo.multiply %optimizer.nu.tokens.weight, %cst_36 : tensor<64x32xf32>
    %nu.multiply_1 = stablehlo.multiply %g.multiply, %g.multiply : tensor<64x32xf32>
    %cst_37 = stablehlo.constant dense<0.00999999977> : tensor<64x32xf32>
    %nu.multiply_2 = stablehlo.multiply %nu.multiply_1, %cst_37 : tensor<64x32xf32>
    %nu.add = stablehlo.add %nu.multiply, %nu.multiply_2 : tensor<64x32xf32>
    %direction.broadcast_in_dim = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<64x32xf32>
    %direction.multiply = stablehlo.multiply %mu.add, %direction.broadcast_in_dim : tensor<64x32xf32>
    %direction.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<64x32xf32>
    %direction.multiply_1 = stablehlo.multiply %nu.add, %direction.broadcast_in_dim_1 : tensor<64x32xf32>
    %direction.sqrt = stablehlo.sqrt %direction.multiply_1 : tensor<64x32xf32>
    %cst_38 = stablehlo.constant dense<9.99999993E-9> : tensor<64x32xf32>
    %direction.add = stablehlo.add %direction.sqrt, %cst_38 : tensor<64x32xf32>
    %direction.divide = stablehlo.divide %direction.multiply, %direction.add : tensor<64x32xf32>
    %p.broadcast_in_dim = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<64x32xf32>
    %p.multiply = stablehlo.multiply %direction.divide, %p.broadcast_in_dim : tensor<64x32xf32>
    %p.subtract = stablehlo.subtract %params.tokens.weight, %p.multiply : tensor<64x32xf32>
    %g.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x32xf32>
    %g.multiply_1 = stablehlo.multiply %d_h#2, %g.broadcast_in_dim_1 : tensor<2x32xf32>
    %cst_39 = stablehlo.constant dense<0.899999976> : tensor<2x32xf32>
    %mu.multiply_2 = stablehlo.multiply %optimizer.mu.blocks.attentionNorm.scale, %cst_39 : tensor<2x32xf32>
    %cst_40 = stablehlo.constant dense<1.000000e-01> : tensor<2x32xf32>
    %mu.multiply_3 = stablehlo.multiply %g.multiply_1, %cst_40 : tensor<2x32xf32>
    %mu.add_1 = stablehlo.add %mu.multiply_2, %mu.multiply_3 : tensor<2x32xf32>
    %cst_41 = stablehlo.constant dense<9.900000e-01> : tensor<2x32xf32>
    %nu.multiply_3 = stablehlo.multiply %optimizer.nu.blocks.attentionNorm.scale, %cst_41 : tensor<2x32xf32>
    %nu.multiply_4 = stablehlo.multiply %g.multiply_1, %g.multiply_1 : tensor<2x32xf32>
    %cst_42 = stablehlo.constant dense<0.00999999977> : tensor<2x32xf32>
    %nu.multiply_5 = stablehlo.multiply %nu.multiply_4, %cst_42 : tensor<2x32xf32>
    %nu.add_1 = stablehlo.add %nu.multiply_3, %nu.multiply_5 : tensor<2x32xf32>
    %direction.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x32xf32>
    %direction.multiply_2 = stablehlo.multiply %mu.add_1, %direction.broadcast_in_dim_2 : tensor<2x32xf32>
    %direction.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x32xf32>
    %direction.multiply_3 = stablehlo.multiply %nu.add_1, %direction.broadcast_in_dim_3 : tensor<2x32xf32>
    %direction.sqrt_1 = stablehlo.sqrt %direction.multiply_3 : tensor<2x32xf32>
    %cst_43 = stablehlo.constant dense<9.99999993E-9> : tensor<2x32xf32>
    %direction.add_1 = stablehlo.add %direction.sqrt_1, %cst_43 : tensor<2x32xf32>
    %direction.divide_1 = stablehlo.divide %direction.multiply_2, %direction.add_1 : tensor<2x32xf32>
    %p.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x32xf32>
    %p.multiply_1 = stablehlo.multiply %direction.divide_1, %p.broadcast_in_dim_1 : tensor<2x32xf32>
    %p.subtract_1 = stablehlo.subtract %params.blocks.attentionNorm.scale, %p.multiply_1 : tensor<2x32xf32>
    %g.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x32x4x8xf32>
    %g.multiply_2 = stablehlo.multiply %d_h#3, %g.broadcast_in_dim_2 : tensor<2x32x4x8xf32>
    %cst_44 = stablehlo.constant dense<0.899999976> : tensor<2x32x4x8xf32>
    %mu.multiply_4 = stablehlo.multiply %optimizer.mu.blocks.attention.query.weight, %cst_44 : tensor<2x32x4x8xf32>
    %cst_45 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x4x8xf32>
    %mu.multiply_5 = stablehlo.multiply %g.multiply_2, %cst_45 : tensor<2x32x4x8xf32>
    %mu.add_2 = stablehlo.add %mu.multiply_4, %mu.multiply_5 : tensor<2x32x4x8xf32>
    %cst_46 = stablehlo.constant dense<9.900000e-01> : tensor<2x32x4x8xf32>
    %nu.multiply_6 = stablehlo.multiply %optimizer.nu.blocks.attention.query.weight, %cst_46 : tensor<2x32x4x8xf32>
    %nu.multiply_7 = stablehlo.multiply %g.multiply_2, %g.multiply_2 : tensor<2x32x4x8xf32>
    %cst_47 = stablehlo.constant dense<0.00999999977> : tensor<2x32x4x8xf32>
    %nu.multiply_8 = stablehlo.multiply %nu.multiply_7, %cst_47 : tensor<2x32x4x8xf32>
    %nu.add_2 = stablehlo.add %nu.multiply_6, %nu.multiply_8 : tensor<2x32x4x8xf32>
    %direction.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x32x4x8xf32>
    %direction.multiply_4 = stablehlo.multiply %mu.add_2, %direction.broadcast_in_dim_4 : tensor<2x32x4x8xf32>
    %direction.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x32x4x8xf32>
    %direction.multiply_5 = stablehlo.multiply %nu.add_2, %direction.broadcast_in_dim_5 : tensor<2x32x4x8xf32>
    %direction.sqrt_2 = stablehlo.sqrt %direction.multiply_5 : tensor<2x32x4x8xf32>
    %cst_48 = stablehlo.constant dense<9.99999993E-9> : tensor<2x32x4x8xf32>
    %direction.add_2 = stablehlo.add %direction.sqrt_2, %cst_48 : tensor<2x32x4x8xf32>
    %direction.divide_2 = stablehlo.divide %direction.multiply_4, %direction.add_2 : tensor<2x32x4x8xf32>
    %cst_49 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x4x8xf32>
    %decayed.multiply = stablehlo.multiply %params.blocks.attention.query.weight, %cst_49 : tensor<2x32x4x8xf32>
    %decayed.add = stablehlo.add %direction.divide_2, %decayed.multiply : tensor<2x32x4x8xf32>
    %p.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x32x4x8xf32>
    %p.multiply_2 = stablehlo.multiply %decayed.add, %p.broadcast_in_dim_2 : tensor<2x32x4x8xf32>
    %p.subtract_2 = stablehlo.subtract %params.blocks.attention.query.weight, %p.multiply_2 : tensor<2x32x4x8xf32>
    %g.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x32x2x8xf32>
    %g.multiply_3 = stablehlo.multiply %d_h#4, %g.broadcast_in_dim_3 : tensor<2x32x2x8xf32>
    %cst_50 = stablehlo.constant dense<0.899999976> : tensor<2x32x2x8xf32>
    %mu.multiply_6 = stablehlo.multiply %optimizer.mu.blocks.attention.key.weight, %cst_50 : tensor<2x32x2x8xf32>
    %cst_51 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x2x8xf32>
    %mu.multiply_7 = stablehlo.multiply %g.multiply_3, %cst_51 : tensor<2x32x2x8xf32>
    %mu.add_3 = stablehlo.add %mu.multiply_6, %mu.multiply_7 : tensor<2x32x2x8xf32>
    %cst_52 = stablehlo.constant dense<9.900000e-01> : tensor<2x32x2x8xf32>
    %nu.multiply_9 = stablehlo.multiply %optimizer.nu.blocks.attention.key.weight, %cst_52 : tensor<2x32x2x8xf32>
    %nu.multiply_10 = stablehlo.multiply %g.multiply_3, %g.multiply_3 : tensor<2x32x2x8xf32>
    %cst_53 = stablehlo.constant dense<0.00999999977> : tensor<2x32x2x8xf32>
    %nu.multiply_11 = stablehlo.multiply %nu.multiply_10, %cst_53 : tensor<2x32x2x8xf32>
    %nu.add_3 = stablehlo.add %nu.multiply_9, %nu.multiply_11 : tensor<2x32x2x8xf32>
    %direction.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x32x2x8xf32>
    %direction.multiply_6 = stablehlo.multiply %mu.add_3, %direction.broadcast_in_dim_6 : tensor<2x32x2x8xf32>
    %direction.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x32x2x8xf32>
    %direction.multiply_7 = stablehlo.multiply %nu.add_3, %direction.broadcast_in_dim_7 : tensor<2x32x2x8xf32>
    %direction.sqrt_3 = stablehlo.sqrt %direction.multiply_7 : tensor<2x32x2x8xf32>
    %cst_54 = stablehlo.constant dense<9.99999993E-9> : tensor<2x32x2x8xf32>
    %direction.add_3 = stablehlo.add %direction.sqrt_3, %cst_54 : tensor<2x32x2x8xf32>
    %direction.divide_3 = stablehlo.divide %direction.multiply_6, %direction.add_3 : tensor<2x32x2x8xf32>
    %cst_55 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x2x8xf32>
    %decayed.multiply_1 = stablehlo.multiply %params.blocks.attention.key.weight, %cst_55 : tensor<2x32x2x8xf32>
    %decayed.add_1 = stablehlo.add %direction.divide_3, %decayed.multiply_1 : tensor<2x32x2x8xf32>
    %p.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x32x2x8xf32>
    %p.multiply_3 = stablehlo.multiply %decayed.add_1, %p.broadcast_in_dim_3 : tensor<2x32x2x8xf32>
    %p.subtract_3 = stablehlo.subtract %params.blocks.attention.key.weight, %p.multiply_3 : tensor<2x32x2x8xf32>
    %g.multiply_4 = stablehlo.multiply %d_h#5, %g.broadcast_in_dim_3 : tensor<2x32x2x8xf32>
    %mu.multiply_8 = stablehlo.multiply %optimizer.mu.blocks.attention.value.weight, %cst_50 : tensor<2x32x2x8xf32>
    %mu.multiply_9 = stablehlo.multiply %g.multiply_4, %cst_51 : tensor<2x32x2x8xf32>
    %mu.add_4 = stablehlo.add %mu.multiply_8, %mu.multiply_9 : tensor<2x32x2x8xf32>
    %nu.multiply_12 = stablehlo.multiply %optimizer.nu.blocks.attention.value.weight, %cst_52 : tensor<2x32x2x8xf32>
    %nu.multiply_13 = stablehlo.multiply %g.multiply_4, %g.multiply_4 : tensor<2x32x2x8xf32>
    %nu.multiply_14 = stablehlo.multiply %nu.multiply_13, %cst_53 : tensor<2x32x2x8xf32>
    %nu.add_4 = stablehlo.add %nu.multiply_12, %nu.multiply_14 : tensor<2x32x2x8xf32>
    %direction.multiply_8 = stablehlo.multiply %mu.add_4, %direction.broadcast_in_dim_6 : tensor<2x32x2x8xf32>
    %direction.multiply_9 = stablehlo.multiply %nu.add_4, %direction.broadcast_in_dim_7 : tensor<2x32x2x8xf32>
    %direction.sqrt_4 = stablehlo.sqrt %direction.multiply_9 : tensor<2x32x2x8xf32>
    %direction.add_4 = stablehlo.add %direction.sqrt_4, %cst_54 : tensor<2x32x2x8xf32>
    %direction.divide_4 = stablehlo.divide %direction.multiply_8, %direction.add_4 : tensor<2x32x2x8xf32>
    %decayed.multiply_2 = stablehlo.multiply %params.blocks.attention.value.weight, %cst_55 : tensor<2x32x2x8xf32>
    %decayed.add_2 = stablehlo.add %direction.divide_4, %decayed.multiply_2 : tensor<2x32x2x8xf32>
    %p.multiply_4 = stablehlo.multiply %decayed.add_2, %p.broadcast_in_dim_3 : tensor<2x32x2x8xf32>
    %p.subtract_4 = stablehlo.subtract %params.blocks.attention.value.weight, %p.multiply_4 : tensor<2x32x2x8xf32>
    %g.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x4x8x32xf32>
    %g.multiply_5 = stablehlo.multiply %d_h#6, %g.broadcast_in_dim_4 : tensor<2x4x8x32xf32>
    %cst_56 = stablehlo.constant dense<0.899999976> : tensor<2x4x8x32xf32>
    %mu.multiply_10 = stablehlo.multiply %optimizer.mu.blocks.attention.output.weight, %cst_56 : tensor<2x4x8x32xf32>
    %cst_57 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x8x32xf32>
    %mu.multiply_11 = stablehlo.multiply %g.multiply_5, %cst_57 : tensor<2x4x8x32xf32>
    %mu.add_5 = stablehlo.add %mu.multiply_10, %mu.multiply_11 : tensor<2x4x8x32xf32>
    %cst_58 = stablehlo.constant dense<9.900000e-01> : tensor<2x4x8x32xf32>
    %nu.multiply_15 = stablehlo.multiply %optimizer.nu.blocks.attention.output.weight, %cst_58 : tensor<2x4x8x32xf32>
    %nu.multiply_16 = stablehlo.multiply %g.multiply_5, %g.multiply_5 : tensor<2x4x8x32xf32>
    %cst_59 = stablehlo.constant dense<0.00999999977> : tensor<2x4x8x32xf32>
    %nu.multiply_17 = stablehlo.multiply %nu.multiply_16, %cst_59 : tensor<2x4x8x32xf32>
    %nu.add_5 = stablehlo.add %nu.multiply_15, %nu.multiply_17 : tensor<2x4x8x32xf32>
    %direction.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x4x8x32xf32>
    %direction.multiply_10 = stablehlo.multiply %mu.add_5, %direction.broadcast_in_dim_8 : tensor<2x4x8x32xf32>
    %direction.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x4x8x32xf32>
    %direction.multiply_11 = stablehlo.multiply %nu.add_5, %direction.broadcast_in_dim_9 : tensor<2x4x8x32xf32>
    %direction.sqrt_5 = stablehlo.sqrt %direction.multiply_11 : tensor<2x4x8x32xf32>
    %cst_60 = stablehlo.constant dense<9.99999993E-9> : tensor<2x4x8x32xf32>
    %direction.add_5 = stablehlo.add %direction.sqrt_5, %cst_60 : tensor<2x4x8x32xf32>
    %direction.divide_5 = stablehlo.divide %direction.multiply_10, %direction.add_5 : tensor<2x4x8x32xf32>
    %cst_61 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x8x32xf32>
    %decayed.multiply_3 = stablehlo.multiply %params.blocks.attention.output.weight, %cst_61 : tensor<2x4x8x32xf32>
    %decayed.add_3 = stablehlo.add %direction.divide_5, %decayed.multiply_3 : tensor<2x4x8x32xf32>
    %p.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x4x8x32xf32>
    %p.multiply_5 = stablehlo.multiply %decayed.add_3, %p.broadcast_in_dim_4 : tensor<2x4x8x32xf32>
    %p.subtract_5 = stablehlo.subtract %params.blocks.attention.output.weight, %p.multiply_5 : tensor<2x4x8x32xf32>
    %g.multiply_6 = stablehlo.multiply %d_h#7, %g.broadcast_in_dim_1 : tensor<2x32xf32>
    %mu.multiply_12 = stablehlo.multiply %optimizer.mu.blocks.mlpNorm.scale, %cst_39 : tensor<2x32xf32>
    %mu.multiply_13 = stablehlo.multiply %g.multiply_6, %cst_40 : tensor<2x32xf32>
    %mu.add_6 = stablehlo.add %mu.multiply_12, %mu.multiply_13 : tensor<2x32xf32>
    %nu.multiply_18 = stablehlo.multiply %optimizer.nu.blocks.mlpNorm.scale, %cst_41 : tensor<2x32xf32>
    %nu.multiply_19 = stablehlo.multiply %g.multiply_6, %g.multiply_6 : tensor<2x32xf32>
    %nu.multiply_20 = stablehlo.multiply %nu.multiply_19, %cst_42 : tensor<2x32xf32>
    %nu.add_6 = stablehlo.add %nu.multiply_18, %nu.multiply_20 : tensor<2x32xf32>
    %direction.multiply_12 = stablehlo.multiply %mu.add_6, %direction.broadcast_in_dim_2 : tensor<2x32xf32>
    %direction.multiply_13 = stablehlo.multiply %nu.add_6, %direction.broadcast_in_dim_3 : tensor<2x32xf32>
    %direction.sqrt_6 = stablehlo.sqrt %direction.multiply_13 : tensor<2x32xf32>
    %direction.add_6 = stablehlo.add %direction.sqrt_6, %cst_43 : tensor<2x32xf32>
    %direction.divide_6 = stablehlo.divide %direction.multiply_12, %direction.add_6 : tensor<2x32xf32>
    %p.multiply_6 = stablehlo.multiply %direction.divide_6, %p.broadcast_in_dim_1 : tensor<2x32xf32>
    %p.subtract_6 = stablehlo.subtract %params.blocks.mlpNorm.scale, %p.multiply_6 : tensor<2x32xf32>
    %g.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x32x4xf32>
    %g.multiply_7 = stablehlo.multiply %d_h#8, %g.broadcast_in_dim_5 : tensor<2x32x4xf32>
    %cst_62 = stablehlo.constant dense<0.899999976> : tensor<2x32x4xf32>
    %mu.multiply_14 = stablehlo.multiply %optimizer.mu.blocks.mlp.router.weight, %cst_62 : tensor<2x32x4xf32>
    %cst_63 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x4xf32>
    %mu.multiply_15 = stablehlo.multiply %g.multiply_7, %cst_63 : tensor<2x32x4xf32>
    %mu.add_7 = stablehlo.add %mu.multiply_14, %mu.multiply_15 : tensor<2x32x4xf32>
    %cst_64 = stablehlo.constant dense<9.900000e-01> : tensor<2x32x4xf32>
    %nu.multiply_21 = stablehlo.multiply %optimizer.nu.blocks.mlp.router.weight, %cst_64 : tensor<2x32x4xf32>
    %nu.multiply_22 = stablehlo.multiply %g.multiply_7, %g.multiply_7 : tensor<2x32x4xf32>
    %cst_65 = stablehlo.constant dense<0.00999999977> : tensor<2x32x4xf32>
    %nu.multiply_23 = stablehlo.multiply %nu.multiply_22, %cst_65 : tensor<2x32x4xf32>
    %nu.add_7 = stablehlo.add %nu.multiply_21, %nu.multiply_23 : tensor<2x32x4xf32>
    %direction.broadcast_in_dim_10 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x32x4xf32>
    %direction.multiply_14 = stablehlo.multiply %mu.add_7, %direction.broadcast_in_dim_10 : tensor<2x32x4xf32>
    %direction.broadcast_in_dim_11 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x32x4xf32>
    %direction.multiply_15 = stablehlo.multiply %nu.add_7, %direction.broadcast_in_dim_11 : tensor<2x32x4xf32>
    %direction.sqrt_7 = stablehlo.sqrt %direction.multiply_15 : tensor<2x32x4xf32>
    %cst_66 = stablehlo.constant dense<9.99999993E-9> : tensor<2x32x4xf32>
    %direction.add_7 = stablehlo.add %direction.sqrt_7, %cst_66 : tensor<2x32x4xf32>
    %direction.divide_7 = stablehlo.divide %direction.multiply_14, %direction.add_7 : tensor<2x32x4xf32>
    %cst_67 = stablehlo.constant dense<1.000000e-01> : tensor<2x32x4xf32>
    %decayed.multiply_4 = stablehlo.multiply %params.blocks.mlp.router.weight, %cst_67 : tensor<2x32x4xf32>
    %decayed.add_4 = stablehlo.add %direction.divide_7, %decayed.multiply_4 : tensor<2x32x4xf32>
    %p.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x32x4xf32>
    %p.multiply_7 = stablehlo.multiply %decayed.add_4, %p.broadcast_in_dim_5 : tensor<2x32x4xf32>
    %p.subtract_7 = stablehlo.subtract %params.blocks.mlp.router.weight, %p.multiply_7 : tensor<2x32x4xf32>
    %g.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x4x32x24xf32>
    %g.multiply_8 = stablehlo.multiply %d_h#9, %g.broadcast_in_dim_6 : tensor<2x4x32x24xf32>
    %cst_68 = stablehlo.constant dense<0.899999976> : tensor<2x4x32x24xf32>
    %mu.multiply_16 = stablehlo.multiply %optimizer.mu.blocks.mlp.gate.weight, %cst_68 : tensor<2x4x32x24xf32>
    %cst_69 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x32x24xf32>
    %mu.multiply_17 = stablehlo.multiply %g.multiply_8, %cst_69 : tensor<2x4x32x24xf32>
    %mu.add_8 = stablehlo.add %mu.multiply_16, %mu.multiply_17 : tensor<2x4x32x24xf32>
    %cst_70 = stablehlo.constant dense<9.900000e-01> : tensor<2x4x32x24xf32>
    %nu.multiply_24 = stablehlo.multiply %optimizer.nu.blocks.mlp.gate.weight, %cst_70 : tensor<2x4x32x24xf32>
    %nu.multiply_25 = stablehlo.multiply %g.multiply_8, %g.multiply_8 : tensor<2x4x32x24xf32>
    %cst_71 = stablehlo.constant dense<0.00999999977> : tensor<2x4x32x24xf32>
    %nu.multiply_26 = stablehlo.multiply %nu.multiply_25, %cst_71 : tensor<2x4x32x24xf32>
    %nu.add_8 = stablehlo.add %nu.multiply_24, %nu.multiply_26 : tensor<2x4x32x24xf32>
    %direction.broadcast_in_dim_12 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x4x32x24xf32>
    %direction.multiply_16 = stablehlo.multiply %mu.add_8, %direction.broadcast_in_dim_12 : tensor<2x4x32x24xf32>
    %direction.broadcast_in_dim_13 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x4x32x24xf32>
    %direction.multiply_17 = stablehlo.multiply %nu.add_8, %direction.broadcast_in_dim_13 : tensor<2x4x32x24xf32>
    %direction.sqrt_8 = stablehlo.sqrt %direction.multiply_17 : tensor<2x4x32x24xf32>
    %cst_72 = stablehlo.constant dense<9.99999993E-9> : tensor<2x4x32x24xf32>
    %direction.add_8 = stablehlo.add %direction.sqrt_8, %cst_72 : tensor<2x4x32x24xf32>
    %direction.divide_8 = stablehlo.divide %direction.multiply_16, %direction.add_8 : tensor<2x4x32x24xf32>
    %cst_73 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x32x24xf32>
    %decayed.multiply_5 = stablehlo.multiply %params.blocks.mlp.gate.weight, %cst_73 : tensor<2x4x32x24xf32>
    %decayed.add_5 = stablehlo.add %direction.divide_8, %decayed.multiply_5 : tensor<2x4x32x24xf32>
    %p.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x4x32x24xf32>
    %p.multiply_8 = stablehlo.multiply %decayed.add_5, %p.broadcast_in_dim_6 : tensor<2x4x32x24xf32>
    %p.subtract_8 = stablehlo.subtract %params.blocks.mlp.gate.weight, %p.multiply_8 : tensor<2x4x32x24xf32>
    %g.multiply_9 = stablehlo.multiply %d_h#10, %g.broadcast_in_dim_6 : tensor<2x4x32x24xf32>
    %mu.multiply_18 = stablehlo.multiply %optimizer.mu.blocks.mlp.up.weight, %cst_68 : tensor<2x4x32x24xf32>
    %mu.multiply_19 = stablehlo.multiply %g.multiply_9, %cst_69 : tensor<2x4x32x24xf32>
    %mu.add_9 = stablehlo.add %mu.multiply_18, %mu.multiply_19 : tensor<2x4x32x24xf32>
    %nu.multiply_27 = stablehlo.multiply %optimizer.nu.blocks.mlp.up.weight, %cst_70 : tensor<2x4x32x24xf32>
    %nu.multiply_28 = stablehlo.multiply %g.multiply_9, %g.multiply_9 : tensor<2x4x32x24xf32>
    %nu.multiply_29 = stablehlo.multiply %nu.multiply_28, %cst_71 : tensor<2x4x32x24xf32>
    %nu.add_9 = stablehlo.add %nu.multiply_27, %nu.multiply_29 : tensor<2x4x32x24xf32>
    %direction.multiply_18 = stablehlo.multiply %mu.add_9, %direction.broadcast_in_dim_12 : tensor<2x4x32x24xf32>
    %direction.multiply_19 = stablehlo.multiply %nu.add_9, %direction.broadcast_in_dim_13 : tensor<2x4x32x24xf32>
    %direction.sqrt_9 = stablehlo.sqrt %direction.multiply_19 : tensor<2x4x32x24xf32>
    %direction.add_9 = stablehlo.add %direction.sqrt_9, %cst_72 : tensor<2x4x32x24xf32>
    %direction.divide_9 = stablehlo.divide %direction.multiply_18, %direction.add_9 : tensor<2x4x32x24xf32>
    %decayed.multiply_6 = stablehlo.multiply %params.blocks.mlp.up.weight, %cst_73 : tensor<2x4x32x24xf32>
    %decayed.add_6 = stablehlo.add %direction.divide_9, %decayed.multiply_6 : tensor<2x4x32x24xf32>
    %p.multiply_9 = stablehlo.multiply %decayed.add_6, %p.broadcast_in_dim_6 : tensor<2x4x32x24xf32>
    %p.subtract_9 = stablehlo.subtract %params.blocks.mlp.up.weight, %p.multiply_9 : tensor<2x4x32x24xf32>
    %g.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x4x24x32xf32>
    %g.multiply_10 = stablehlo.multiply %d_h#11, %g.broadcast_in_dim_7 : tensor<2x4x24x32xf32>
    %cst_74 = stablehlo.constant dense<0.899999976> : tensor<2x4x24x32xf32>
    %mu.multiply_20 = stablehlo.multiply %optimizer.mu.blocks.mlp.down.weight, %cst_74 : tensor<2x4x24x32xf32>
    %cst_75 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x24x32xf32>
    %mu.multiply_21 = stablehlo.multiply %g.multiply_10, %cst_75 : tensor<2x4x24x32xf32>
    %mu.add_10 = stablehlo.add %mu.multiply_20, %mu.multiply_21 : tensor<2x4x24x32xf32>
    %cst_76 = stablehlo.constant dense<9.900000e-01> : tensor<2x4x24x32xf32>
    %nu.multiply_30 = stablehlo.multiply %optimizer.nu.blocks.mlp.down.weight, %cst_76 : tensor<2x4x24x32xf32>
    %nu.multiply_31 = stablehlo.multiply %g.multiply_10, %g.multiply_10 : tensor<2x4x24x32xf32>
    %cst_77 = stablehlo.constant dense<0.00999999977> : tensor<2x4x24x32xf32>
    %nu.multiply_32 = stablehlo.multiply %nu.multiply_31, %cst_77 : tensor<2x4x24x32xf32>
    %nu.add_10 = stablehlo.add %nu.multiply_30, %nu.multiply_32 : tensor<2x4x24x32xf32>
    %direction.broadcast_in_dim_14 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x4x24x32xf32>
    %direction.multiply_20 = stablehlo.multiply %mu.add_10, %direction.broadcast_in_dim_14 : tensor<2x4x24x32xf32>
    %direction.broadcast_in_dim_15 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x4x24x32xf32>
    %direction.multiply_21 = stablehlo.multiply %nu.add_10, %direction.broadcast_in_dim_15 : tensor<2x4x24x32xf32>
    %direction.sqrt_10 = stablehlo.sqrt %direction.multiply_21 : tensor<2x4x24x32xf32>
    %cst_78 = stablehlo.constant dense<9.99999993E-9> : tensor<2x4x24x32xf32>
    %direction.add_10 = stablehlo.add %direction.sqrt_10, %cst_78 : tensor<2x4x24x32xf32>
    %direction.divide_10 = stablehlo.divide %direction.multiply_20, %direction.add_10 : tensor<2x4x24x32xf32>
    %cst_79 = stablehlo.constant dense<1.000000e-01> : tensor<2x4x24x32xf32>
    %decayed.multiply_7 = stablehlo.multiply %params.blocks.mlp.down.weight, %cst_79 : tensor<2x4x24x32xf32>
    %decayed.add_7 = stablehlo.add %direction.divide_10, %decayed.multiply_7 : tensor<2x4x24x32xf32>
    %p.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x4x24x32xf32>
    %p.multiply_10 = stablehlo.multiply %decayed.add_7, %p.broadcast_in_dim_7 : tensor<2x4x24x32xf32>
    %p.subtract_10 = stablehlo.subtract %params.blocks.mlp.down.weight, %p.multiply_10 : tensor<2x4x24x32xf32>
    %g.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<32xf32>
    %g.multiply_11 = stablehlo.multiply %d_reduce, %g.broadcast_in_dim_8 : tensor<32xf32>
    %cst_80 = stablehlo.constant dense<0.899999976> : tensor<32xf32>
    %mu.multiply_22 = stablehlo.multiply %optimizer.mu.norm.scale, %cst_80 : tensor<32xf32>
    %cst_81 = stablehlo.constant dense<1.000000e-01> : tensor<32xf32>
    %mu.multiply_23 = stablehlo.multiply %g.multiply_11, %cst_81 : tensor<32xf32>
    %mu.add_11 = stablehlo.add %mu.multiply_22, %mu.multiply_23 : tensor<32xf32>
    %cst_82 = stablehlo.constant dense<9.900000e-01> : tensor<32xf32>
    %nu.multiply_33 = stablehlo.multiply %optimizer.nu.norm.scale, %cst_82 : tensor<32xf32>
    %nu.multiply_34 = stablehlo.multiply %g.multiply_11, %g.multiply_11 : tensor<32xf32>
    %cst_83 = stablehlo.constant dense<0.00999999977> : tensor<32xf32>
    %nu.multiply_35 = stablehlo.multiply %nu.multiply_34, %cst_83 : tensor<32xf32>
    %nu.add_11 = stablehlo.add %nu.multiply_33, %nu.multiply_35 : tensor<32xf32>
    %direction.broadcast_in_dim_16 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<32xf32>
    %direction.multiply_22 = stablehlo.multiply %mu.add_11, %direction.broadcast_in_dim_16 : tensor<32xf32>
    %direction.broadcast_in_dim_17 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<32xf32>
    %direction.multiply_23 = stablehlo.multiply %nu.add_11, %direction.broadcast_in_dim_17 : tensor<32xf32>
    %direction.sqrt_11 = stablehlo.sqrt %direction.multiply_23 : tensor<32xf32>
    %cst_84 = stablehlo.constant dense<9.99999993E-9> : tensor<32xf32>
    %direction.add_11 = stablehlo.add %direction.sqrt_11, %cst_84 : tensor<32xf32>
    %direction.divide_11 = stablehlo.divide %direction.multiply_22, %direction.add_11 : tensor<32xf32>
    %p.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<32xf32>
    %p.multiply_11 = stablehlo.multiply %direction.divide_11, %p.broadcast_in_dim_8 : tensor<32xf32>
    %p.subtract_11 = stablehlo.subtract %params.norm.scale, %p.multiply_11 : tensor<32xf32>
    %g.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<32x64xf32>
    %g = stablehlo.multiply %d_own, %g.broadcast_in_dim_9 : tensor<32x64xf32>
    %cst_85 = stablehlo.constant dense<0.899999976> : tensor<32x64xf32>
    %mu.multiply_24 = stablehlo.multiply %optimizer.mu.head.weight, %cst_85 : tensor<32x64xf32>
    %cst_86 = stablehlo.constant dense<1.000000e-01> : tensor<32x64xf32>
    %mu.multiply_25 = stablehlo.multiply %g, %cst_86 : tensor<32x64xf32>
    %mu = stablehlo.add %mu.multiply_24, %mu.multiply_25 : tensor<32x64xf32>
    %cst_87 = stablehlo.constant dense<9.900000e-01> : tensor<32x64xf32>
    %nu.multiply_36 = stablehlo.multiply %optimizer.nu.head.weight, %cst_87 : tensor<32x64xf32>
    %nu.multiply_37 = stablehlo.multiply %g, %g : tensor<32x64xf32>
    %cst_88 = stablehlo.constant dense<0.00999999977> : tensor<32x64xf32>
    %nu.multiply_38 = stablehlo.multiply %nu.multiply_37, %cst_88 : tensor<32x64xf32>
    %nu = stablehlo.add %nu.multiply_36, %nu.multiply_38 : tensor<32x64xf32>
    %direction.broadcast_in_dim_18 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<32x64xf32>
    %direction.multiply_24 = stablehlo.multiply %mu, %direction.broadcast_in_dim_18 : tensor<32x64xf32>
    %direction.broadcast_in_dim_19 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<32x64xf32>
    %direction.multiply_25 = stablehlo.multiply %nu, %direction.broadcast_in_dim_19 : tensor<32x64xf32>
    %direction.sqrt_12 = stablehlo.sqrt %direction.multiply_25 : tensor<32x64xf32>
    %cst_89 = stablehlo.constant dense<9.99999993E-9> : tensor<32x64xf32>
    %direction.add_12 = stablehlo.add %direction.sqrt_12, %cst_89 : tensor<32x64xf32>
    %direction = stablehlo.divide %direction.multiply_24, %direction.add_12 : tensor<32x64xf32>
    %cst_90 = stablehlo.constant dense<1.000000e-01> : tensor<32x64xf32>
    %decayed.multiply_8 = stablehlo.multiply %params.head.weight, %cst_90 : tensor<32x64xf32>
    %decayed = stablehlo.add %direction, %decayed.multiply_8 : tensor<32x64xf32>
    %p.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<32x64xf32>
    %p.multiply_12 = stablehlo.multiply %decayed, %p.broadcast_in_dim_9 : tensor<32x64xf32>
    %p = stablehlo.subtract %params.head.weight, %p.multiply_12 : tensor<32x64xf32>
    return %p.subtract, %p.subtract_1, %p.subtract_2, %p.subtract_3, %p.subtract_4, %p.subtract_5, %p.subtract_6, %p.subtract_7, %p.subtract_8, %p.subtract_9, %p.subtract_10, %p.subtract_11, %p, %mu.add, %mu.add_1, %mu.add_2, %mu.add_3, %mu.add_4, %mu.add_5, %mu.add_6, %mu.add_7, %mu.add_8, %mu.add_9, %mu.add_10, %mu.add_11, %mu, %nu.add, %nu.add_1, %nu.add_2, %nu.add_3, %nu.add_4, %nu.add_5, %nu.add_6, %nu.add_7, %nu.add_8, %nu.add_9, %nu.add_10, %nu.add_11, %nu, %step_1, %key, %loss, %gradNorm, %rate, %paramNorm, %h#2, %h#3, %h#4, %h#5 : tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<64x32xf32>, tensor<2x32xf32>, tensor<2x32x4x8xf32>, tensor<2x32x2x8xf32>, tensor<2x32x2x8xf32>, tensor<2x4x8x32xf32>, tensor<2x32xf32>, tensor<2x32x4xf32>, tensor<2x4x32x24xf32>, tensor<2x4x32x24xf32>, tensor<2x4x24x32xf32>, tensor<32xf32>, tensor<32x64xf32>, tensor<i32>, tensor<2xui32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2x4xf32>
  }
}
