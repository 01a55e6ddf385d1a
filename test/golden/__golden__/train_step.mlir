module @train_step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<256x16xf32> {tf.aliasing_output = 0 : i32}, %params.blocks.attentionNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 1 : i32}, %params.blocks.attentionNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 2 : i32}, %params.blocks.attention.query.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 3 : i32}, %params.blocks.attention.query.bias: tensor<2x2x8xf32> {tf.aliasing_output = 4 : i32}, %params.blocks.attention.key.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 5 : i32}, %params.blocks.attention.key.bias: tensor<2x2x8xf32> {tf.aliasing_output = 6 : i32}, %params.blocks.attention.value.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 7 : i32}, %params.blocks.attention.value.bias: tensor<2x2x8xf32> {tf.aliasing_output = 8 : i32}, %params.blocks.attention.output.weight: tensor<2x2x8x16xf32> {tf.aliasing_output = 9 : i32}, %params.blocks.attention.output.bias: tensor<2x16xf32> {tf.aliasing_output = 10 : i32}, %params.blocks.mlpNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 11 : i32}, %params.blocks.mlpNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 12 : i32}, %params.blocks.mlp.up.weight: tensor<2x16x64xf32> {tf.aliasing_output = 13 : i32}, %params.blocks.mlp.up.bias: tensor<2x64xf32> {tf.aliasing_output = 14 : i32}, %params.blocks.mlp.down.weight: tensor<2x64x16xf32> {tf.aliasing_output = 15 : i32}, %params.blocks.mlp.down.bias: tensor<2x16xf32> {tf.aliasing_output = 16 : i32}, %params.norm.scale: tensor<16xf32> {tf.aliasing_output = 17 : i32}, %params.norm.bias: tensor<16xf32> {tf.aliasing_output = 18 : i32}, %params.head.weight: tensor<16x256xf32> {tf.aliasing_output = 19 : i32}, %params.head.bias: tensor<256xf32> {tf.aliasing_output = 20 : i32}, %optimizer.mu.tokens.weight: tensor<256x16xf32> {tf.aliasing_output = 21 : i32}, %optimizer.mu.blocks.attentionNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 22 : i32}, %optimizer.mu.blocks.attentionNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 23 : i32}, %optimizer.mu.blocks.attention.query.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 24 : i32}, %optimizer.mu.blocks.attention.query.bias: tensor<2x2x8xf32> {tf.aliasing_output = 25 : i32}, %optimizer.mu.blocks.attention.key.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 26 : i32}, %optimizer.mu.blocks.attention.key.bias: tensor<2x2x8xf32> {tf.aliasing_output = 27 : i32}, %optimizer.mu.blocks.attention.value.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 28 : i32}, %optimizer.mu.blocks.attention.value.bias: tensor<2x2x8xf32> {tf.aliasing_output = 29 : i32}, %optimizer.mu.blocks.attention.output.weight: tensor<2x2x8x16xf32> {tf.aliasing_output = 30 : i32}, %optimizer.mu.blocks.attention.output.bias: tensor<2x16xf32> {tf.aliasing_output = 31 : i32}, %optimizer.mu.blocks.mlpNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 32 : i32}, %optimizer.mu.blocks.mlpNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 33 : i32}, %optimizer.mu.blocks.mlp.up.weight: tensor<2x16x64xf32> {tf.aliasing_output = 34 : i32}, %optimizer.mu.blocks.mlp.up.bias: tensor<2x64xf32> {tf.aliasing_output = 35 : i32}, %optimizer.mu.blocks.mlp.down.weight: tensor<2x64x16xf32> {tf.aliasing_output = 36 : i32}, %optimizer.mu.blocks.mlp.down.bias: tensor<2x16xf32> {tf.aliasing_output = 37 : i32}, %optimizer.mu.norm.scale: tensor<16xf32> {tf.aliasing_output = 38 : i32}, %optimizer.mu.norm.bias: tensor<16xf32> {tf.aliasing_output = 39 : i32}, %optimizer.mu.head.weight: tensor<16x256xf32> {tf.aliasing_output = 40 : i32}, %optimizer.mu.head.bias: tensor<256xf32> {tf.aliasing_output = 41 : i32}, %optimizer.nu.tokens.weight: tensor<256x16xf32> {tf.aliasing_output = 42 : i32}, %optimizer.nu.blocks.attentionNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 43 : i32}, %optimizer.nu.blocks.attentionNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 44 : i32}, %optimizer.nu.blocks.attention.query.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 45 : i32}, %optimizer.nu.blocks.attention.query.bias: tensor<2x2x8xf32> {tf.aliasing_output = 46 : i32}, %optimizer.nu.blocks.attention.key.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 47 : i32}, %optimizer.nu.blocks.attention.key.bias: tensor<2x2x8xf32> {tf.aliasing_output = 48 : i32}, %optimizer.nu.blocks.attention.value.weight: tensor<2x16x2x8xf32> {tf.aliasing_output = 49 : i32}, %optimizer.nu.blocks.attention.value.bias: tensor<2x2x8xf32> {tf.aliasing_output = 50 : i32}, %optimizer.nu.blocks.attention.output.weight: tensor<2x2x8x16xf32> {tf.aliasing_output = 51 : i32}, %optimizer.nu.blocks.attention.output.bias: tensor<2x16xf32> {tf.aliasing_output = 52 : i32}, %optimizer.nu.blocks.mlpNorm.scale: tensor<2x16xf32> {tf.aliasing_output = 53 : i32}, %optimizer.nu.blocks.mlpNorm.bias: tensor<2x16xf32> {tf.aliasing_output = 54 : i32}, %optimizer.nu.blocks.mlp.up.weight: tensor<2x16x64xf32> {tf.aliasing_output = 55 : i32}, %optimizer.nu.blocks.mlp.up.bias: tensor<2x64xf32> {tf.aliasing_output = 56 : i32}, %optimizer.nu.blocks.mlp.down.weight: tensor<2x64x16xf32> {tf.aliasing_output = 57 : i32}, %optimizer.nu.blocks.mlp.down.bias: tensor<2x16xf32> {tf.aliasing_output = 58 : i32}, %optimizer.nu.norm.scale: tensor<16xf32> {tf.aliasing_output = 59 : i32}, %optimizer.nu.norm.bias: tensor<16xf32> {tf.aliasing_output = 60 : i32}, %optimizer.nu.head.weight: tensor<16x256xf32> {tf.aliasing_output = 61 : i32}, %optimizer.nu.head.bias: tensor<256xf32> {tf.aliasing_output = 62 : i32}, %step: tensor<i32> {tf.aliasing_output = 63 : i32}, %key: tensor<2xui32> {tf.aliasing_output = 64 : i32}, %tokens: tensor<1x2x9xi32>) -> (tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<i32>, tensor<2xui32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) {
    %targets.slice = stablehlo.slice %tokens [0:1, 0:2, 1:9] : (tensor<1x2x9xi32>) -> tensor<1x2x8xi32>
    %c = stablehlo.constant dense<0> : tensor<1x2x8xi32>
    %real = stablehlo.compare GE, %targets.slice, %c, SIGNED : (tensor<1x2x8xi32>, tensor<1x2x8xi32>) -> tensor<1x2x8xi1>
    %count.convert = stablehlo.convert %real : (tensor<1x2x8xi1>) -> tensor<1x2x8xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %count.reduce = stablehlo.reduce(%count.convert init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<1x2x8xf32>, tensor<f32>) -> tensor<f32>
    %cst_1 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %count = stablehlo.maximum %count.reduce, %cst_1 : tensor<f32>
    %reshape = stablehlo.reshape %tokens : (tensor<1x2x9xi32>) -> tensor<2x9xi32>
    %c_1 = stablehlo.constant dense<0> : tensor<i32>
    %inputs.slice = stablehlo.slice %reshape [0:2, 0:8] : (tensor<2x9xi32>) -> tensor<2x8xi32>
    %c_2 = stablehlo.constant dense<0> : tensor<2x8xi32>
    %inputs = stablehlo.maximum %inputs.slice, %c_2 : tensor<2x8xi32>
    %targets = stablehlo.slice %reshape [0:2, 1:9] : (tensor<2x9xi32>) -> tensor<2x8xi32>
    %at.iota = stablehlo.iota dim = 0 : tensor<8xi32>
    %at = stablehlo.broadcast_in_dim %at.iota, dims = [1] : (tensor<8xi32>) -> tensor<2x8xi32>
    %embedded.gather = "stablehlo.gather"(%params.tokens.weight, %inputs) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 16>}> : (tensor<256x16xf32>, tensor<2x8xi32>) -> tensor<2x8x16xf32>
    %cst_2 = stablehlo.constant dense<4.000000e+00> : tensor<2x8x16xf32>
    %embedded = stablehlo.multiply %embedded.gather, %cst_2 : tensor<2x8x16xf32>
    %frequencies.iota = stablehlo.iota dim = 0 : tensor<8xf32>
    %cst_3 = stablehlo.constant dense<-1.15129256> : tensor<8xf32>
    %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_3 : tensor<8xf32>
    %frequencies = stablehlo.exponential %frequencies.multiply : tensor<8xf32>
    %phase.convert = stablehlo.convert %at : (tensor<2x8xi32>) -> tensor<2x8xf32>
    %sum.broadcast_in_dim = stablehlo.broadcast_in_dim %phase.convert, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x8xf32>
    %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [2] : (tensor<8xf32>) -> tensor<2x8x8xf32>
    %phase = stablehlo.multiply %sum.broadcast_in_dim, %phase.broadcast_in_dim : tensor<2x8x8xf32>
    %sine = stablehlo.sine %phase : tensor<2x8x8xf32>
    %cosine = stablehlo.cosine %phase : tensor<2x8x8xf32>
    %x.concatenate = stablehlo.concatenate %sine, %cosine, dim = 2 : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x16xf32>
    %x = stablehlo.add %embedded, %x.concatenate : tensor<2x8x16xf32>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x8x16xf32>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x8x64xf32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x8xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x2x8x8xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x8x2x8xf32>
    %h:17 = stablehlo.while(%iterArg = %c_1, %iterArg_1 = %x, %iterArg_2 = %cst_4, %iterArg_3 = %cst_5, %iterArg_4 = %cst_5, %iterArg_5 = %cst_4, %iterArg_6 = %cst_6, %iterArg_7 = %cst_4, %iterArg_8 = %cst_6, %iterArg_9 = %cst_7, %iterArg_10 = %cst_8, %iterArg_11 = %cst_7, %iterArg_12 = %cst_8, %iterArg_13 = %cst_8, %iterArg_14 = %cst_4, %iterArg_15 = %cst_6, %iterArg_16 = %cst_6) : tensor<i32>, tensor<2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x64xf32>, tensor<2x2x8x64xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x2x8x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x2x8x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x8xf32>
    cond {
      %c_5 = stablehlo.constant dense<2> : tensor<i32>
      %h_1 = stablehlo.compare LT, %iterArg, %c_5, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %h_1 : tensor<i1>
    } do {
      %c_5 = stablehlo.constant dense<0> : tensor<i32>
      %attentionNorm.scale = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.scale_1 = stablehlo.reshape %attentionNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %attentionNorm.bias = stablehlo.dynamic_slice %params.blocks.attentionNorm.bias, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.bias_1 = stablehlo.reshape %attentionNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %attention.query.weight = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %iterArg, %c_5, %c_5, %c_5, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.query.bias = stablehlo.dynamic_slice %params.blocks.attention.query.bias, %iterArg, %c_5, %c_5, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.query.bias_1 = stablehlo.reshape %attention.query.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.key.weight = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %iterArg, %c_5, %c_5, %c_5, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.key.bias = stablehlo.dynamic_slice %params.blocks.attention.key.bias, %iterArg, %c_5, %c_5, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.key.bias_1 = stablehlo.reshape %attention.key.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.value.weight = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %iterArg, %c_5, %c_5, %c_5, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.value.bias = stablehlo.dynamic_slice %params.blocks.attention.value.bias, %iterArg, %c_5, %c_5, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.value.bias_1 = stablehlo.reshape %attention.value.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.output.weight = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %iterArg, %c_5, %c_5, %c_5, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %attention.output.weight_1 = stablehlo.reshape %attention.output.weight : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %attention.output.bias = stablehlo.dynamic_slice %params.blocks.attention.output.bias, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attention.output.bias_1 = stablehlo.reshape %attention.output.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.scale = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.scale_1 = stablehlo.reshape %mlpNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.bias = stablehlo.dynamic_slice %params.blocks.mlpNorm.bias, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.bias_1 = stablehlo.reshape %mlpNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_5, %c_5, sizes = [1, 16, 64] : (tensor<2x16x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x64xf32>
      %mlp.up.weight_1 = stablehlo.reshape %mlp.up.weight : (tensor<1x16x64xf32>) -> tensor<16x64xf32>
      %mlp.up.bias = stablehlo.dynamic_slice %params.blocks.mlp.up.bias, %iterArg, %c_5, sizes = [1, 64] : (tensor<2x64xf32>, tensor<i32>, tensor<i32>) -> tensor<1x64xf32>
      %mlp.up.bias_1 = stablehlo.reshape %mlp.up.bias : (tensor<1x64xf32>) -> tensor<64xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_5, %c_5, sizes = [1, 64, 16] : (tensor<2x64x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x16xf32>
      %mlp.down.weight_1 = stablehlo.reshape %mlp.down.weight : (tensor<1x64x16xf32>) -> tensor<64x16xf32>
      %mlp.down.bias = stablehlo.dynamic_slice %params.blocks.mlp.down.bias, %iterArg, %c_5, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlp.down.bias_1 = stablehlo.reshape %mlp.down.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %cst_88 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %mean.reduce_1 = stablehlo.reduce(%iterArg_1 init: %cst_88) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %cst_89 = stablehlo.constant dense<6.250000e-02> : tensor<2x8xf32>
      %mean.multiply = stablehlo.multiply %mean.reduce_1, %cst_89 : tensor<2x8xf32>
      %centred.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mean.multiply, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %centred.subtract = stablehlo.subtract %iterArg_1, %centred.broadcast_in_dim_1 : tensor<2x8x16xf32>
      %rstd.multiply_2 = stablehlo.multiply %centred.subtract, %centred.subtract : tensor<2x8x16xf32>
      %rstd.reduce_1 = stablehlo.reduce(%rstd.multiply_2 init: %cst_88) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %rstd.multiply_3 = stablehlo.multiply %rstd.reduce_1, %cst_89 : tensor<2x8xf32>
      %cst_90 = stablehlo.constant dense<9.99999974E-6> : tensor<2x8xf32>
      %rstd.add_1 = stablehlo.add %rstd.multiply_3, %cst_90 : tensor<2x8xf32>
      %rstd.rsqrt = stablehlo.rsqrt %rstd.add_1 : tensor<2x8xf32>
      %broadcast_in_dim_3 = stablehlo.broadcast_in_dim %rstd.rsqrt, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %multiply_4 = stablehlo.multiply %centred.subtract, %broadcast_in_dim_3 : tensor<2x8x16xf32>
      %broadcast_in_dim_4 = stablehlo.broadcast_in_dim %attentionNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %multiply_5 = stablehlo.multiply %multiply_4, %broadcast_in_dim_4 : tensor<2x8x16xf32>
      %broadcast_in_dim_5 = stablehlo.broadcast_in_dim %attentionNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %add_3 = stablehlo.add %multiply_5, %broadcast_in_dim_5 : tensor<2x8x16xf32>
      %own.reshape_1 = stablehlo.reshape %add_3 : (tensor<2x8x16xf32>) -> tensor<16x16xf32>
      %own.reshape_2 = stablehlo.reshape %attention.query.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_1 = stablehlo.dot_general %own.reshape_1, %own.reshape_2, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %own.reshape_3 = stablehlo.reshape %own.dot_general_1 : (tensor<16x16xf32>) -> tensor<2x8x2x8xf32>
      %query.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.query.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<2x8x2x8xf32>
      %query = stablehlo.add %own.reshape_3, %query.broadcast_in_dim : tensor<2x8x2x8xf32>
      %own.reshape_4 = stablehlo.reshape %attention.key.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_2 = stablehlo.dot_general %own.reshape_1, %own.reshape_4, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %own.reshape_5 = stablehlo.reshape %own.dot_general_2 : (tensor<16x16xf32>) -> tensor<2x8x2x8xf32>
      %key.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.key.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<2x8x2x8xf32>
      %key_1 = stablehlo.add %own.reshape_5, %key.broadcast_in_dim : tensor<2x8x2x8xf32>
      %own.reshape_6 = stablehlo.reshape %attention.value.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_3 = stablehlo.dot_general %own.reshape_1, %own.reshape_6, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %own.reshape_7 = stablehlo.reshape %own.dot_general_3 : (tensor<16x16xf32>) -> tensor<2x8x2x8xf32>
      %value.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.value.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<2x8x2x8xf32>
      %value = stablehlo.add %own.reshape_7, %value.broadcast_in_dim : tensor<2x8x2x8xf32>
      %cst_91 = stablehlo.constant dense<0.353553385> : tensor<2x8x2x8xf32>
      %scaled = stablehlo.multiply %query, %cst_91 : tensor<2x8x2x8xf32>
      %numbers = stablehlo.iota dim = 0 : tensor<8xi32>
      %before.broadcast_in_dim = stablehlo.broadcast_in_dim %numbers, dims = [0] : (tensor<8xi32>) -> tensor<8x8xi32>
      %before.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %numbers, dims = [1] : (tensor<8xi32>) -> tensor<8x8xi32>
      %before = stablehlo.compare GE, %before.broadcast_in_dim, %before.broadcast_in_dim_1, SIGNED : (tensor<8x8xi32>, tensor<8x8xi32>) -> tensor<8x8xi1>
      %s = stablehlo.dot_general %scaled, %key_1, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<2x8x2x8xf32>, tensor<2x8x2x8xf32>) -> tensor<2x2x8x8xf32>
      %cst_92 = stablehlo.constant dense<-1.000000e+30> : tensor<2x2x8x8xf32>
      %s.broadcast_in_dim = stablehlo.broadcast_in_dim %before, dims = [2, 3] : (tensor<8x8xi1>) -> tensor<2x2x8x8xi1>
      %s_1 = stablehlo.select %s.broadcast_in_dim, %s, %cst_92 : tensor<2x2x8x8xi1>, tensor<2x2x8x8xf32>
      %cst_93 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %peak.reduce = stablehlo.reduce(%s_1 init: %cst_93) applies stablehlo.maximum across dimensions = [3] : (tensor<2x2x8x8xf32>, tensor<f32>) -> tensor<2x2x8xf32>
      %cst_94 = stablehlo.constant dense<-1.000000e+29> : tensor<2x2x8xf32>
      %peak_1 = stablehlo.maximum %peak.reduce, %cst_94 : tensor<2x2x8xf32>
      %weights.broadcast_in_dim = stablehlo.broadcast_in_dim %peak_1, dims = [0, 1, 2] : (tensor<2x2x8xf32>) -> tensor<2x2x8x8xf32>
      %weights.subtract = stablehlo.subtract %s_1, %weights.broadcast_in_dim : tensor<2x2x8x8xf32>
      %weights = stablehlo.exponential %weights.subtract : tensor<2x2x8x8xf32>
      %total_1 = stablehlo.reduce(%weights init: %cst_88) applies stablehlo.add across dimensions = [3] : (tensor<2x2x8x8xf32>, tensor<f32>) -> tensor<2x2x8xf32>
      %cst_95 = stablehlo.constant dense<0.000000e+00> : tensor<2x2x8xf32>
      %divisor.compare = stablehlo.compare EQ, %total_1, %cst_95, FLOAT : (tensor<2x2x8xf32>, tensor<2x2x8xf32>) -> tensor<2x2x8xi1>
      %cst_96 = stablehlo.constant dense<1.000000e+00> : tensor<2x2x8xf32>
      %divisor = stablehlo.select %divisor.compare, %cst_96, %total_1 : tensor<2x2x8xi1>, tensor<2x2x8xf32>
      %probs.broadcast_in_dim = stablehlo.broadcast_in_dim %divisor, dims = [0, 1, 2] : (tensor<2x2x8xf32>) -> tensor<2x2x8x8xf32>
      %probs = stablehlo.divide %weights, %probs.broadcast_in_dim : tensor<2x2x8x8xf32>
      %dot_general = stablehlo.dot_general %probs, %value, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<2x2x8x8xf32>, tensor<2x8x2x8xf32>) -> tensor<2x2x8x8xf32>
      %own.dot_general_4 = stablehlo.dot_general %dot_general, %attention.output.weight_1, contracting_dims = [1, 3] x [0, 1] : (tensor<2x2x8x8xf32>, tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
      %broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attention.output.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %add_4 = stablehlo.add %own.dot_general_4, %broadcast_in_dim_6 : tensor<2x8x16xf32>
      %h_1 = stablehlo.add %iterArg_1, %add_4 : tensor<2x8x16xf32>
      %mean.reduce_2 = stablehlo.reduce(%h_1 init: %cst_88) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %mean_1 = stablehlo.multiply %mean.reduce_2, %cst_89 : tensor<2x8xf32>
      %centred.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %mean_1, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %centred_1 = stablehlo.subtract %h_1, %centred.broadcast_in_dim_2 : tensor<2x8x16xf32>
      %rstd.multiply_4 = stablehlo.multiply %centred_1, %centred_1 : tensor<2x8x16xf32>
      %rstd.reduce_2 = stablehlo.reduce(%rstd.multiply_4 init: %cst_88) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %rstd.multiply_5 = stablehlo.multiply %rstd.reduce_2, %cst_89 : tensor<2x8xf32>
      %rstd.add_2 = stablehlo.add %rstd.multiply_5, %cst_90 : tensor<2x8xf32>
      %rstd_1 = stablehlo.rsqrt %rstd.add_2 : tensor<2x8xf32>
      %broadcast_in_dim_7 = stablehlo.broadcast_in_dim %rstd_1, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %multiply_6 = stablehlo.multiply %centred_1, %broadcast_in_dim_7 : tensor<2x8x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %multiply_7 = stablehlo.multiply %multiply_6, %broadcast_in_dim_8 : tensor<2x8x16xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %mlpNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %add_5 = stablehlo.add %multiply_7, %broadcast_in_dim_9 : tensor<2x8x16xf32>
      %own.reshape_8 = stablehlo.reshape %add_5 : (tensor<2x8x16xf32>) -> tensor<16x16xf32>
      %own.dot_general_5 = stablehlo.dot_general %own.reshape_8, %mlp.up.weight_1, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
      %own.reshape_9 = stablehlo.reshape %own.dot_general_5 : (tensor<16x64xf32>) -> tensor<2x8x64xf32>
      %fed.broadcast_in_dim = stablehlo.broadcast_in_dim %mlp.up.bias_1, dims = [2] : (tensor<64xf32>) -> tensor<2x8x64xf32>
      %fed.add = stablehlo.add %own.reshape_9, %fed.broadcast_in_dim : tensor<2x8x64xf32>
      %fed.multiply = stablehlo.multiply %fed.add, %fed.add : tensor<2x8x64xf32>
      %cst_97 = stablehlo.constant dense<4.471500e-02> : tensor<2x8x64xf32>
      %fed.multiply_1 = stablehlo.multiply %fed.multiply, %cst_97 : tensor<2x8x64xf32>
      %cst_98 = stablehlo.constant dense<1.000000e+00> : tensor<2x8x64xf32>
      %fed.add_1 = stablehlo.add %fed.multiply_1, %cst_98 : tensor<2x8x64xf32>
      %fed.multiply_2 = stablehlo.multiply %fed.add_1, %fed.add : tensor<2x8x64xf32>
      %cst_99 = stablehlo.constant dense<0.797884583> : tensor<2x8x64xf32>
      %fed.multiply_3 = stablehlo.multiply %fed.multiply_2, %cst_99 : tensor<2x8x64xf32>
      %fed.tanh = stablehlo.tanh %fed.multiply_3 : tensor<2x8x64xf32>
      %fed.add_2 = stablehlo.add %fed.tanh, %cst_98 : tensor<2x8x64xf32>
      %fed.multiply_4 = stablehlo.multiply %fed.add, %fed.add_2 : tensor<2x8x64xf32>
      %cst_100 = stablehlo.constant dense<5.000000e-01> : tensor<2x8x64xf32>
      %fed.multiply_5 = stablehlo.multiply %fed.multiply_4, %cst_100 : tensor<2x8x64xf32>
      %own.reshape_10 = stablehlo.reshape %fed.multiply_5 : (tensor<2x8x64xf32>) -> tensor<16x64xf32>
      %own.dot_general_6 = stablehlo.dot_general %own.reshape_10, %mlp.down.weight_1, contracting_dims = [1] x [0] : (tensor<16x64xf32>, tensor<64x16xf32>) -> tensor<16x16xf32>
      %own_1 = stablehlo.reshape %own.dot_general_6 : (tensor<16x16xf32>) -> tensor<2x8x16xf32>
      %fed.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mlp.down.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %fed = stablehlo.add %own_1, %fed.broadcast_in_dim_1 : tensor<2x8x16xf32>
      %add_6 = stablehlo.add %h_1, %fed : tensor<2x8x16xf32>
      %h.reshape = stablehlo.reshape %iterArg_1 : (tensor<2x8x16xf32>) -> tensor<1x2x8x16xf32>
      %h.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_2, %h.reshape, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x16xf32>
      %h.reshape_1 = stablehlo.reshape %fed.multiply_5 : (tensor<2x8x64xf32>) -> tensor<1x2x8x64xf32>
      %h.dynamic_update_slice_1 = stablehlo.dynamic_update_slice %iterArg_3, %h.reshape_1, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x64xf32>, tensor<1x2x8x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x64xf32>
      %h.reshape_2 = stablehlo.reshape %fed.add : (tensor<2x8x64xf32>) -> tensor<1x2x8x64xf32>
      %h.dynamic_update_slice_2 = stablehlo.dynamic_update_slice %iterArg_4, %h.reshape_2, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x64xf32>, tensor<1x2x8x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x64xf32>
      %h.reshape_3 = stablehlo.reshape %add_5 : (tensor<2x8x16xf32>) -> tensor<1x2x8x16xf32>
      %h.dynamic_update_slice_3 = stablehlo.dynamic_update_slice %iterArg_5, %h.reshape_3, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x16xf32>
      %h.reshape_4 = stablehlo.reshape %mean_1 : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %h.dynamic_update_slice_4 = stablehlo.dynamic_update_slice %iterArg_6, %h.reshape_4, %iterArg, %c_5, %c_5 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %h.reshape_5 = stablehlo.reshape %h_1 : (tensor<2x8x16xf32>) -> tensor<1x2x8x16xf32>
      %h.dynamic_update_slice_5 = stablehlo.dynamic_update_slice %iterArg_7, %h.reshape_5, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x16xf32>
      %h.reshape_6 = stablehlo.reshape %rstd_1 : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %h.dynamic_update_slice_6 = stablehlo.dynamic_update_slice %iterArg_8, %h.reshape_6, %iterArg, %c_5, %c_5 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %h.reshape_7 = stablehlo.reshape %dot_general : (tensor<2x2x8x8xf32>) -> tensor<1x2x2x8x8xf32>
      %h.dynamic_update_slice_7 = stablehlo.dynamic_update_slice %iterArg_9, %h.reshape_7, %iterArg, %c_5, %c_5, %c_5, %c_5 : (tensor<2x2x2x8x8xf32>, tensor<1x2x2x8x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x2x8x8xf32>
      %h.reshape_8 = stablehlo.reshape %value : (tensor<2x8x2x8xf32>) -> tensor<1x2x8x2x8xf32>
      %h.dynamic_update_slice_8 = stablehlo.dynamic_update_slice %iterArg_10, %h.reshape_8, %iterArg, %c_5, %c_5, %c_5, %c_5 : (tensor<2x2x8x2x8xf32>, tensor<1x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x2x8xf32>
      %h.reshape_9 = stablehlo.reshape %probs : (tensor<2x2x8x8xf32>) -> tensor<1x2x2x8x8xf32>
      %h.dynamic_update_slice_9 = stablehlo.dynamic_update_slice %iterArg_11, %h.reshape_9, %iterArg, %c_5, %c_5, %c_5, %c_5 : (tensor<2x2x2x8x8xf32>, tensor<1x2x2x8x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x2x8x8xf32>
      %h.reshape_10 = stablehlo.reshape %key_1 : (tensor<2x8x2x8xf32>) -> tensor<1x2x8x2x8xf32>
      %h.dynamic_update_slice_10 = stablehlo.dynamic_update_slice %iterArg_12, %h.reshape_10, %iterArg, %c_5, %c_5, %c_5, %c_5 : (tensor<2x2x8x2x8xf32>, tensor<1x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x2x8xf32>
      %h.reshape_11 = stablehlo.reshape %scaled : (tensor<2x8x2x8xf32>) -> tensor<1x2x8x2x8xf32>
      %h.dynamic_update_slice_11 = stablehlo.dynamic_update_slice %iterArg_13, %h.reshape_11, %iterArg, %c_5, %c_5, %c_5, %c_5 : (tensor<2x2x8x2x8xf32>, tensor<1x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x2x8xf32>
      %h.reshape_12 = stablehlo.reshape %add_3 : (tensor<2x8x16xf32>) -> tensor<1x2x8x16xf32>
      %h.dynamic_update_slice_12 = stablehlo.dynamic_update_slice %iterArg_14, %h.reshape_12, %iterArg, %c_5, %c_5, %c_5 : (tensor<2x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x16xf32>
      %h.reshape_13 = stablehlo.reshape %mean.multiply : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %h.dynamic_update_slice_13 = stablehlo.dynamic_update_slice %iterArg_15, %h.reshape_13, %iterArg, %c_5, %c_5 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %h.reshape_14 = stablehlo.reshape %rstd.rsqrt : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %h.dynamic_update_slice_14 = stablehlo.dynamic_update_slice %iterArg_16, %h.reshape_14, %iterArg, %c_5, %c_5 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %c_6 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_6 : tensor<i32>
      stablehlo.return %h_2, %add_6, %h.dynamic_update_slice, %h.dynamic_update_slice_1, %h.dynamic_update_slice_2, %h.dynamic_update_slice_3, %h.dynamic_update_slice_4, %h.dynamic_update_slice_5, %h.dynamic_update_slice_6, %h.dynamic_update_slice_7, %h.dynamic_update_slice_8, %h.dynamic_update_slice_9, %h.dynamic_update_slice_10, %h.dynamic_update_slice_11, %h.dynamic_update_slice_12, %h.dynamic_update_slice_13, %h.dynamic_update_slice_14 : tensor<i32>, tensor<2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x64xf32>, tensor<2x2x8x64xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x2x8x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x2x8x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x8x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8xf32>, tensor<2x2x8xf32>
    }
    %mean.reduce = stablehlo.reduce(%h#1 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
    %cst_9 = stablehlo.constant dense<6.250000e-02> : tensor<2x8xf32>
    %mean = stablehlo.multiply %mean.reduce, %cst_9 : tensor<2x8xf32>
    %centred.broadcast_in_dim = stablehlo.broadcast_in_dim %mean, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
    %centred = stablehlo.subtract %h#1, %centred.broadcast_in_dim : tensor<2x8x16xf32>
    %rstd.multiply = stablehlo.multiply %centred, %centred : tensor<2x8x16xf32>
    %rstd.reduce = stablehlo.reduce(%rstd.multiply init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
    %rstd.multiply_1 = stablehlo.multiply %rstd.reduce, %cst_9 : tensor<2x8xf32>
    %cst_10 = stablehlo.constant dense<9.99999974E-6> : tensor<2x8xf32>
    %rstd.add = stablehlo.add %rstd.multiply_1, %cst_10 : tensor<2x8xf32>
    %rstd = stablehlo.rsqrt %rstd.add : tensor<2x8xf32>
    %broadcast_in_dim = stablehlo.broadcast_in_dim %rstd, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
    %multiply = stablehlo.multiply %centred, %broadcast_in_dim : tensor<2x8x16xf32>
    %broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.norm.scale, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
    %multiply_1 = stablehlo.multiply %multiply, %broadcast_in_dim_1 : tensor<2x8x16xf32>
    %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %params.norm.bias, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
    %add = stablehlo.add %multiply_1, %broadcast_in_dim_2 : tensor<2x8x16xf32>
    %own.reshape = stablehlo.reshape %add : (tensor<2x8x16xf32>) -> tensor<16x16xf32>
    %own.dot_general = stablehlo.dot_general %own.reshape, %params.head.weight, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x256xf32>) -> tensor<16x256xf32>
    %own = stablehlo.reshape %own.dot_general : (tensor<16x256xf32>) -> tensor<2x8x256xf32>
    %sum.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.head.bias, dims = [2] : (tensor<256xf32>) -> tensor<2x8x256xf32>
    %sum = stablehlo.add %own, %sum.broadcast_in_dim_1 : tensor<2x8x256xf32>
    %cst_11 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %peak = stablehlo.reduce(%sum init: %cst_11) applies stablehlo.maximum across dimensions = [2] : (tensor<2x8x256xf32>, tensor<f32>) -> tensor<2x8xf32>
    %total.broadcast_in_dim = stablehlo.broadcast_in_dim %peak, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x256xf32>
    %total.subtract = stablehlo.subtract %sum, %total.broadcast_in_dim : tensor<2x8x256xf32>
    %total.exponential = stablehlo.exponential %total.subtract : tensor<2x8x256xf32>
    %total.reduce = stablehlo.reduce(%total.exponential init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x256xf32>, tensor<f32>) -> tensor<2x8xf32>
    %total.log = stablehlo.log %total.reduce : tensor<2x8xf32>
    %total = stablehlo.add %total.log, %peak : tensor<2x8xf32>
    %sum.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %targets, dims = [0, 1] : (tensor<2x8xi32>) -> tensor<2x8x256xi32>
    %chosen.iota = stablehlo.iota dim = 0 : tensor<256xi32>
    %chosen.broadcast_in_dim = stablehlo.broadcast_in_dim %chosen.iota, dims = [2] : (tensor<256xi32>) -> tensor<2x8x256xi32>
    %chosen.compare = stablehlo.compare EQ, %sum.broadcast_in_dim_2, %chosen.broadcast_in_dim, SIGNED : (tensor<2x8x256xi32>, tensor<2x8x256xi32>) -> tensor<2x8x256xi1>
    %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<2x8x256xf32>
    %chosen.select = stablehlo.select %chosen.compare, %sum, %cst_12 : tensor<2x8x256xi1>, tensor<2x8x256xf32>
    %chosen = stablehlo.reduce(%chosen.select init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x256xf32>, tensor<f32>) -> tensor<2x8xf32>
    %compare = stablehlo.compare GE, %targets, %c_2, SIGNED : (tensor<2x8xi32>, tensor<2x8xi32>) -> tensor<2x8xi1>
    %subtract = stablehlo.subtract %total, %chosen : tensor<2x8xf32>
    %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<2x8xf32>
    %select = stablehlo.select %compare, %subtract, %cst_13 : tensor<2x8xi1>, tensor<2x8xf32>
    %sum_1 = stablehlo.reduce(%select init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8xf32>, tensor<f32>) -> tensor<f32>
    %loss = stablehlo.divide %sum_1, %count : tensor<f32>
    %d_loss = stablehlo.divide %cst_1, %count : tensor<f32>
    %d_sum = stablehlo.broadcast_in_dim %d_loss, dims = [] : (tensor<f32>) -> tensor<2x8xf32>
    %d_probs.broadcast_in_dim = stablehlo.broadcast_in_dim %total, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x256xf32>
    %d_probs.subtract = stablehlo.subtract %sum, %d_probs.broadcast_in_dim : tensor<2x8x256xf32>
    %d_probs = stablehlo.exponential %d_probs.subtract : tensor<2x8x256xf32>
    %d_error.convert = stablehlo.convert %chosen.compare : (tensor<2x8x256xi1>) -> tensor<2x8x256xf32>
    %d_error = stablehlo.subtract %d_probs, %d_error.convert : tensor<2x8x256xf32>
    %d_select = stablehlo.select %compare, %d_sum, %cst_13 : tensor<2x8xi1>, tensor<2x8xf32>
    %d_broadcast_in_dim = stablehlo.broadcast_in_dim %d_select, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x256xf32>
    %d_multiply = stablehlo.multiply %d_error, %d_broadcast_in_dim : tensor<2x8x256xf32>
    %d_sum_1 = stablehlo.reduce(%d_multiply init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x256xf32>, tensor<f32>) -> tensor<256xf32>
    %d_own.reshape = stablehlo.reshape %d_multiply : (tensor<2x8x256xf32>) -> tensor<16x256xf32>
    %d_own.dot_general = stablehlo.dot_general %d_own.reshape, %params.head.weight, contracting_dims = [1] x [1] : (tensor<16x256xf32>, tensor<16x256xf32>) -> tensor<16x16xf32>
    %d_own.reshape_1 = stablehlo.reshape %d_own.dot_general : (tensor<16x16xf32>) -> tensor<2x8x16xf32>
    %d_own = stablehlo.dot_general %own.reshape, %d_own.reshape, contracting_dims = [0] x [0] : (tensor<16x16xf32>, tensor<16x256xf32>) -> tensor<16x256xf32>
    %d_reduce = stablehlo.reduce(%d_own.reshape_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
    %d_g = stablehlo.multiply %d_own.reshape_1, %broadcast_in_dim_1 : tensor<2x8x16xf32>
    %d_dx.reduce = stablehlo.reduce(%d_g init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
    %d_dx.multiply = stablehlo.multiply %d_dx.reduce, %cst_9 : tensor<2x8xf32>
    %d_dx.broadcast_in_dim = stablehlo.broadcast_in_dim %d_dx.multiply, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
    %d_dx.subtract = stablehlo.subtract %d_g, %d_dx.broadcast_in_dim : tensor<2x8x16xf32>
    %d_dx.multiply_1 = stablehlo.multiply %d_g, %multiply : tensor<2x8x16xf32>
    %d_dx.reduce_1 = stablehlo.reduce(%d_dx.multiply_1 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
    %d_dx.multiply_2 = stablehlo.multiply %d_dx.reduce_1, %cst_9 : tensor<2x8xf32>
    %d_dx.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_dx.multiply_2, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
    %d_dx.multiply_3 = stablehlo.multiply %multiply, %d_dx.broadcast_in_dim_1 : tensor<2x8x16xf32>
    %d_dx.subtract_1 = stablehlo.subtract %d_dx.subtract, %d_dx.multiply_3 : tensor<2x8x16xf32>
    %d_dx = stablehlo.multiply %d_dx.subtract_1, %broadcast_in_dim : tensor<2x8x16xf32>
    %d_multiply_1 = stablehlo.multiply %d_own.reshape_1, %multiply : tensor<2x8x16xf32>
    %d_reduce_1 = stablehlo.reduce(%d_multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
    %cst_14 = stablehlo.constant dense<0.000000e+00> : tensor<2x16xf32>
    %cst_15 = stablehlo.constant dense<0.000000e+00> : tensor<2x16x2x8xf32>
    %cst_16 = stablehlo.constant dense<0.000000e+00> : tensor<2x16x64xf32>
    %cst_17 = stablehlo.constant dense<0.000000e+00> : tensor<2x64xf32>
    %cst_18 = stablehlo.constant dense<0.000000e+00> : tensor<2x64x16xf32>
    %d_h:18 = stablehlo.while(%iterArg = %c_1, %iterArg_1 = %d_dx, %iterArg_2 = %cst_14, %iterArg_3 = %cst_14, %iterArg_4 = %cst_15, %iterArg_5 = %cst_6, %iterArg_6 = %cst_15, %iterArg_7 = %cst_6, %iterArg_8 = %cst_15, %iterArg_9 = %cst_6, %iterArg_10 = %cst_4, %iterArg_11 = %cst_14, %iterArg_12 = %cst_14, %iterArg_13 = %cst_14, %iterArg_14 = %cst_16, %iterArg_15 = %cst_17, %iterArg_16 = %cst_18, %iterArg_17 = %cst_14) : tensor<i32>, tensor<2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>
    cond {
      %c_5 = stablehlo.constant dense<2> : tensor<i32>
      %d_h_1 = stablehlo.compare LT, %iterArg, %c_5, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %d_h_1 : tensor<i1>
    } do {
      %c_5 = stablehlo.constant dense<1> : tensor<i32>
      %d_h.subtract = stablehlo.subtract %c_5, %iterArg : tensor<i32>
      %c_6 = stablehlo.constant dense<0> : tensor<i32>
      %d_h.dynamic_slice = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %d_h.subtract, %c_6, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %d_h.reshape = stablehlo.reshape %d_h.dynamic_slice : (tensor<1x16xf32>) -> tensor<16xf32>
      %d_h.dynamic_slice_1 = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %d_h.dynamic_slice_2 = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %d_h.reshape_1 = stablehlo.reshape %d_h.dynamic_slice_2 : (tensor<1x16x2x8xf32>) -> tensor<16x2x8xf32>
      %d_h.dynamic_slice_3 = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %d_h.reshape_2 = stablehlo.reshape %d_h.dynamic_slice_3 : (tensor<1x16x2x8xf32>) -> tensor<16x2x8xf32>
      %d_h.dynamic_slice_4 = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %d_h.dynamic_slice_5 = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %d_h.subtract, %c_6, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %d_h.reshape_3 = stablehlo.reshape %d_h.dynamic_slice_5 : (tensor<1x16xf32>) -> tensor<16xf32>
      %d_h.dynamic_slice_6 = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %d_h.subtract, %c_6, %c_6, sizes = [1, 16, 64] : (tensor<2x16x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x64xf32>
      %d_h.reshape_4 = stablehlo.reshape %d_h.dynamic_slice_6 : (tensor<1x16x64xf32>) -> tensor<16x64xf32>
      %d_h.dynamic_slice_7 = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %d_h.subtract, %c_6, %c_6, sizes = [1, 64, 16] : (tensor<2x64x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x16xf32>
      %d_h.reshape_5 = stablehlo.reshape %d_h.dynamic_slice_7 : (tensor<1x64x16xf32>) -> tensor<64x16xf32>
      %d_h.dynamic_slice_8 = stablehlo.dynamic_slice %h#2, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %d_h.reshape_6 = stablehlo.reshape %d_h.dynamic_slice_8 : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %d_h.dynamic_slice_9 = stablehlo.dynamic_slice %h#3, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 64] : (tensor<2x2x8x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x64xf32>
      %d_h.dynamic_slice_10 = stablehlo.dynamic_slice %h#4, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 64] : (tensor<2x2x8x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x64xf32>
      %d_h.reshape_7 = stablehlo.reshape %d_h.dynamic_slice_10 : (tensor<1x2x8x64xf32>) -> tensor<2x8x64xf32>
      %d_h.dynamic_slice_11 = stablehlo.dynamic_slice %h#5, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %d_h.dynamic_slice_12 = stablehlo.dynamic_slice %h#6, %d_h.subtract, %c_6, %c_6, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %d_h.reshape_8 = stablehlo.reshape %d_h.dynamic_slice_12 : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %d_h.dynamic_slice_13 = stablehlo.dynamic_slice %h#7, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %d_h.reshape_9 = stablehlo.reshape %d_h.dynamic_slice_13 : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %d_h.dynamic_slice_14 = stablehlo.dynamic_slice %h#8, %d_h.subtract, %c_6, %c_6, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %d_h.reshape_10 = stablehlo.reshape %d_h.dynamic_slice_14 : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %d_h.dynamic_slice_15 = stablehlo.dynamic_slice %h#9, %d_h.subtract, %c_6, %c_6, %c_6, %c_6, sizes = [1, 2, 2, 8, 8] : (tensor<2x2x2x8x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x2x8x8xf32>
      %d_h.reshape_11 = stablehlo.reshape %d_h.dynamic_slice_15 : (tensor<1x2x2x8x8xf32>) -> tensor<2x2x8x8xf32>
      %d_h.dynamic_slice_16 = stablehlo.dynamic_slice %h#10, %d_h.subtract, %c_6, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 2, 8] : (tensor<2x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x2x8xf32>
      %d_h.reshape_12 = stablehlo.reshape %d_h.dynamic_slice_16 : (tensor<1x2x8x2x8xf32>) -> tensor<2x8x2x8xf32>
      %d_h.dynamic_slice_17 = stablehlo.dynamic_slice %h#11, %d_h.subtract, %c_6, %c_6, %c_6, %c_6, sizes = [1, 2, 2, 8, 8] : (tensor<2x2x2x8x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x2x8x8xf32>
      %d_h.reshape_13 = stablehlo.reshape %d_h.dynamic_slice_17 : (tensor<1x2x2x8x8xf32>) -> tensor<2x2x8x8xf32>
      %d_h.dynamic_slice_18 = stablehlo.dynamic_slice %h#12, %d_h.subtract, %c_6, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 2, 8] : (tensor<2x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x2x8xf32>
      %d_h.reshape_14 = stablehlo.reshape %d_h.dynamic_slice_18 : (tensor<1x2x8x2x8xf32>) -> tensor<2x8x2x8xf32>
      %d_h.dynamic_slice_19 = stablehlo.dynamic_slice %h#13, %d_h.subtract, %c_6, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 2, 8] : (tensor<2x2x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x2x8xf32>
      %d_h.reshape_15 = stablehlo.reshape %d_h.dynamic_slice_19 : (tensor<1x2x8x2x8xf32>) -> tensor<2x8x2x8xf32>
      %d_h.dynamic_slice_20 = stablehlo.dynamic_slice %h#14, %d_h.subtract, %c_6, %c_6, %c_6, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %d_h.reshape_16 = stablehlo.reshape %d_h.dynamic_slice_20 : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %d_h.dynamic_slice_21 = stablehlo.dynamic_slice %h#15, %d_h.subtract, %c_6, %c_6, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %d_h.reshape_17 = stablehlo.reshape %d_h.dynamic_slice_21 : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %d_h.dynamic_slice_22 = stablehlo.dynamic_slice %h#16, %d_h.subtract, %c_6, %c_6, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %d_h.reshape_18 = stablehlo.reshape %d_h.dynamic_slice_22 : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %cst_88 = stablehlo.constant dense<0.353553385> : tensor<2x8x2x8xf32>
      %cst_89 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %d_fed.reduce = stablehlo.reduce(%iterArg_1 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_own.reshape_2 = stablehlo.reshape %iterArg_1 : (tensor<2x8x16xf32>) -> tensor<16x16xf32>
      %d_own.dot_general_1 = stablehlo.dot_general %d_own.reshape_2, %d_h.reshape_5, contracting_dims = [1] x [1] : (tensor<16x16xf32>, tensor<64x16xf32>) -> tensor<16x64xf32>
      %d_own.reshape_3 = stablehlo.reshape %d_own.dot_general_1 : (tensor<16x64xf32>) -> tensor<2x8x64xf32>
      %d_own.reshape_4 = stablehlo.reshape %d_h.dynamic_slice_9 : (tensor<1x2x8x64xf32>) -> tensor<16x64xf32>
      %d_own.dot_general_2 = stablehlo.dot_general %d_own.reshape_4, %d_own.reshape_2, contracting_dims = [0] x [0] : (tensor<16x64xf32>, tensor<16x16xf32>) -> tensor<64x16xf32>
      %d_fed.multiply = stablehlo.multiply %d_h.reshape_7, %d_h.reshape_7 : tensor<2x8x64xf32>
      %cst_90 = stablehlo.constant dense<4.471500e-02> : tensor<2x8x64xf32>
      %d_fed.multiply_1 = stablehlo.multiply %d_fed.multiply, %cst_90 : tensor<2x8x64xf32>
      %cst_91 = stablehlo.constant dense<1.000000e+00> : tensor<2x8x64xf32>
      %d_fed.add = stablehlo.add %d_fed.multiply_1, %cst_91 : tensor<2x8x64xf32>
      %d_fed.multiply_2 = stablehlo.multiply %d_fed.add, %d_h.reshape_7 : tensor<2x8x64xf32>
      %cst_92 = stablehlo.constant dense<0.797884583> : tensor<2x8x64xf32>
      %d_fed.multiply_3 = stablehlo.multiply %d_fed.multiply_2, %cst_92 : tensor<2x8x64xf32>
      %d_fed.tanh = stablehlo.tanh %d_fed.multiply_3 : tensor<2x8x64xf32>
      %cst_93 = stablehlo.constant dense<1.341450e-01> : tensor<2x8x64xf32>
      %d_fed.multiply_4 = stablehlo.multiply %d_fed.multiply, %cst_93 : tensor<2x8x64xf32>
      %d_fed.add_1 = stablehlo.add %d_fed.multiply_4, %cst_91 : tensor<2x8x64xf32>
      %d_fed.multiply_5 = stablehlo.multiply %d_fed.add_1, %cst_92 : tensor<2x8x64xf32>
      %d_fed.add_2 = stablehlo.add %d_fed.tanh, %cst_91 : tensor<2x8x64xf32>
      %cst_94 = stablehlo.constant dense<5.000000e-01> : tensor<2x8x64xf32>
      %d_fed.multiply_6 = stablehlo.multiply %d_fed.add_2, %cst_94 : tensor<2x8x64xf32>
      %d_fed.multiply_7 = stablehlo.multiply %d_h.reshape_7, %cst_94 : tensor<2x8x64xf32>
      %d_fed.multiply_8 = stablehlo.multiply %d_fed.tanh, %d_fed.tanh : tensor<2x8x64xf32>
      %d_fed.negate = stablehlo.negate %d_fed.multiply_8 : tensor<2x8x64xf32>
      %d_fed.add_3 = stablehlo.add %d_fed.negate, %cst_91 : tensor<2x8x64xf32>
      %d_fed.multiply_9 = stablehlo.multiply %d_fed.multiply_7, %d_fed.add_3 : tensor<2x8x64xf32>
      %d_fed.multiply_10 = stablehlo.multiply %d_fed.multiply_9, %d_fed.multiply_5 : tensor<2x8x64xf32>
      %d_fed.add_4 = stablehlo.add %d_fed.multiply_6, %d_fed.multiply_10 : tensor<2x8x64xf32>
      %d_fed.multiply_11 = stablehlo.multiply %d_own.reshape_3, %d_fed.add_4 : tensor<2x8x64xf32>
      %d_fed = stablehlo.reduce(%d_fed.multiply_11 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x64xf32>, tensor<f32>) -> tensor<64xf32>
      %d_own.reshape_5 = stablehlo.reshape %d_fed.multiply_11 : (tensor<2x8x64xf32>) -> tensor<16x64xf32>
      %d_own.dot_general_3 = stablehlo.dot_general %d_own.reshape_5, %d_h.reshape_4, contracting_dims = [1] x [1] : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x16xf32>
      %d_own.reshape_6 = stablehlo.reshape %d_own.dot_general_3 : (tensor<16x16xf32>) -> tensor<2x8x16xf32>
      %d_own.reshape_7 = stablehlo.reshape %d_h.dynamic_slice_11 : (tensor<1x2x8x16xf32>) -> tensor<16x16xf32>
      %d_own.dot_general_4 = stablehlo.dot_general %d_own.reshape_7, %d_own.reshape_5, contracting_dims = [0] x [0] : (tensor<16x16xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
      %d_reduce_2 = stablehlo.reduce(%d_own.reshape_6 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_y.broadcast_in_dim = stablehlo.broadcast_in_dim %d_h.reshape_8, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_y.subtract = stablehlo.subtract %d_h.reshape_9, %d_y.broadcast_in_dim : tensor<2x8x16xf32>
      %d_y.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_h.reshape_10, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_y.multiply = stablehlo.multiply %d_y.subtract, %d_y.broadcast_in_dim_1 : tensor<2x8x16xf32>
      %d_g.broadcast_in_dim = stablehlo.broadcast_in_dim %d_h.reshape_3, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %d_g.multiply = stablehlo.multiply %d_own.reshape_6, %d_g.broadcast_in_dim : tensor<2x8x16xf32>
      %d_dx.reduce_2 = stablehlo.reduce(%d_g.multiply init: %cst_89) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %cst_95 = stablehlo.constant dense<6.250000e-02> : tensor<2x8xf32>
      %d_dx.multiply_4 = stablehlo.multiply %d_dx.reduce_2, %cst_95 : tensor<2x8xf32>
      %d_dx.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_dx.multiply_4, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_dx.subtract_2 = stablehlo.subtract %d_g.multiply, %d_dx.broadcast_in_dim_2 : tensor<2x8x16xf32>
      %d_dx.multiply_5 = stablehlo.multiply %d_g.multiply, %d_y.multiply : tensor<2x8x16xf32>
      %d_dx.reduce_3 = stablehlo.reduce(%d_dx.multiply_5 init: %cst_89) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_dx.multiply_6 = stablehlo.multiply %d_dx.reduce_3, %cst_95 : tensor<2x8xf32>
      %d_dx.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %d_dx.multiply_6, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_dx.multiply_7 = stablehlo.multiply %d_y.multiply, %d_dx.broadcast_in_dim_3 : tensor<2x8x16xf32>
      %d_dx.subtract_3 = stablehlo.subtract %d_dx.subtract_2, %d_dx.multiply_7 : tensor<2x8x16xf32>
      %d_dx.multiply_8 = stablehlo.multiply %d_dx.subtract_3, %d_y.broadcast_in_dim_1 : tensor<2x8x16xf32>
      %d_multiply_2 = stablehlo.multiply %d_own.reshape_6, %d_y.multiply : tensor<2x8x16xf32>
      %d_reduce_3 = stablehlo.reduce(%d_multiply_2 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_add = stablehlo.add %iterArg_1, %d_dx.multiply_8 : tensor<2x8x16xf32>
      %d_reduce_4 = stablehlo.reduce(%d_add init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_own.reshape_8 = stablehlo.reshape %d_add : (tensor<2x8x16xf32>) -> tensor<16x16xf32>
      %d_own.reshape_9 = stablehlo.reshape %d_h.dynamic_slice_4 : (tensor<1x2x8x16xf32>) -> tensor<16x16xf32>
      %d_own.dot_general_5 = stablehlo.dot_general %d_own.reshape_8, %d_own.reshape_9, contracting_dims = [1] x [1] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %d_own.reshape_10 = stablehlo.reshape %d_own.dot_general_5 : (tensor<16x16xf32>) -> tensor<2x8x2x8xf32>
      %d_own.dot_general_6 = stablehlo.dot_general %d_h.reshape_11, %d_add, contracting_dims = [0, 2] x [0, 1] : (tensor<2x2x8x8xf32>, tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
      %d_dProbs = stablehlo.dot_general %d_own.reshape_10, %d_h.reshape_12, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<2x8x2x8xf32>, tensor<2x8x2x8xf32>) -> tensor<2x2x8x8xf32>
      %d_weighted = stablehlo.multiply %d_h.reshape_13, %d_dProbs : tensor<2x2x8x8xf32>
      %d_dScores.reduce = stablehlo.reduce(%d_weighted init: %cst_89) applies stablehlo.add across dimensions = [3] : (tensor<2x2x8x8xf32>, tensor<f32>) -> tensor<2x2x8xf32>
      %d_dScores.broadcast_in_dim = stablehlo.broadcast_in_dim %d_dScores.reduce, dims = [0, 1, 2] : (tensor<2x2x8xf32>) -> tensor<2x2x8x8xf32>
      %d_dScores.multiply = stablehlo.multiply %d_h.reshape_13, %d_dScores.broadcast_in_dim : tensor<2x2x8x8xf32>
      %d_dScores = stablehlo.subtract %d_weighted, %d_dScores.multiply : tensor<2x2x8x8xf32>
      %d_dot_general = stablehlo.dot_general %d_dScores, %d_h.reshape_14, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<2x2x8x8xf32>, tensor<2x8x2x8xf32>) -> tensor<2x2x8x8xf32>
      %d_dot_general_1 = stablehlo.dot_general %d_h.reshape_15, %d_dScores, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [2] : (tensor<2x8x2x8xf32>, tensor<2x2x8x8xf32>) -> tensor<2x2x8x8xf32>
      %d_dot_general_2 = stablehlo.dot_general %d_own.reshape_10, %d_h.reshape_13, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [2] : (tensor<2x8x2x8xf32>, tensor<2x2x8x8xf32>) -> tensor<2x2x8x8xf32>
      %d_attended.transpose = stablehlo.transpose %d_dot_general_2, dims = [0, 3, 1, 2] : (tensor<2x2x8x8xf32>) -> tensor<2x8x2x8xf32>
      %d_attended.transpose_1 = stablehlo.transpose %d_dot_general_1, dims = [0, 3, 1, 2] : (tensor<2x2x8x8xf32>) -> tensor<2x8x2x8xf32>
      %d_attended = stablehlo.transpose %d_dot_general, dims = [0, 2, 1, 3] : (tensor<2x2x8x8xf32>) -> tensor<2x8x2x8xf32>
      %d_scaled = stablehlo.multiply %d_attended, %cst_88 : tensor<2x8x2x8xf32>
      %d_value = stablehlo.reduce(%d_attended.transpose init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_own.dot_general_7 = stablehlo.dot_general %d_dot_general_2, %d_h.reshape_2, contracting_dims = [1, 2] x [1, 2] : (tensor<2x2x8x8xf32>, tensor<16x2x8xf32>) -> tensor<2x8x16xf32>
      %d_own.dot_general_8 = stablehlo.dot_general %d_h.reshape_16, %d_dot_general_2, contracting_dims = [0, 1] x [0, 3] : (tensor<2x8x16xf32>, tensor<2x2x8x8xf32>) -> tensor<16x2x8xf32>
      %d_key = stablehlo.reduce(%d_attended.transpose_1 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_own.dot_general_9 = stablehlo.dot_general %d_dot_general_1, %d_h.reshape_1, contracting_dims = [1, 2] x [1, 2] : (tensor<2x2x8x8xf32>, tensor<16x2x8xf32>) -> tensor<2x8x16xf32>
      %d_own.dot_general_10 = stablehlo.dot_general %d_h.reshape_16, %d_dot_general_1, contracting_dims = [0, 1] x [0, 3] : (tensor<2x8x16xf32>, tensor<2x2x8x8xf32>) -> tensor<16x2x8xf32>
      %d_own.add = stablehlo.add %d_own.dot_general_7, %d_own.dot_general_9 : tensor<2x8x16xf32>
      %d_query = stablehlo.reduce(%d_scaled init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x2x8xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_own.reshape_11 = stablehlo.reshape %d_scaled : (tensor<2x8x2x8xf32>) -> tensor<16x16xf32>
      %d_own.reshape_12 = stablehlo.reshape %d_h.dynamic_slice_1 : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %d_own.dot_general_11 = stablehlo.dot_general %d_own.reshape_11, %d_own.reshape_12, contracting_dims = [1] x [1] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %d_own.reshape_13 = stablehlo.reshape %d_own.dot_general_11 : (tensor<16x16xf32>) -> tensor<2x8x16xf32>
      %d_own.reshape_14 = stablehlo.reshape %d_h.dynamic_slice_20 : (tensor<1x2x8x16xf32>) -> tensor<16x16xf32>
      %d_own.dot_general_12 = stablehlo.dot_general %d_own.reshape_14, %d_own.reshape_11, contracting_dims = [0] x [0] : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      %d_own_1 = stablehlo.add %d_own.add, %d_own.reshape_13 : tensor<2x8x16xf32>
      %d_reduce_5 = stablehlo.reduce(%d_own_1 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_y.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %d_h.reshape_17, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_y.subtract_1 = stablehlo.subtract %d_h.reshape_6, %d_y.broadcast_in_dim_2 : tensor<2x8x16xf32>
      %d_y.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %d_h.reshape_18, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_y = stablehlo.multiply %d_y.subtract_1, %d_y.broadcast_in_dim_3 : tensor<2x8x16xf32>
      %d_g.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %d_h.reshape, dims = [2] : (tensor<16xf32>) -> tensor<2x8x16xf32>
      %d_g_1 = stablehlo.multiply %d_own_1, %d_g.broadcast_in_dim_1 : tensor<2x8x16xf32>
      %d_dx.reduce_4 = stablehlo.reduce(%d_g_1 init: %cst_89) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_dx.multiply_9 = stablehlo.multiply %d_dx.reduce_4, %cst_95 : tensor<2x8xf32>
      %d_dx.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %d_dx.multiply_9, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_dx.subtract_4 = stablehlo.subtract %d_g_1, %d_dx.broadcast_in_dim_4 : tensor<2x8x16xf32>
      %d_dx.multiply_10 = stablehlo.multiply %d_g_1, %d_y : tensor<2x8x16xf32>
      %d_dx.reduce_5 = stablehlo.reduce(%d_dx.multiply_10 init: %cst_89) applies stablehlo.add across dimensions = [2] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<2x8xf32>
      %d_dx.multiply_11 = stablehlo.multiply %d_dx.reduce_5, %cst_95 : tensor<2x8xf32>
      %d_dx.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %d_dx.multiply_11, dims = [0, 1] : (tensor<2x8xf32>) -> tensor<2x8x16xf32>
      %d_dx.multiply_12 = stablehlo.multiply %d_y, %d_dx.broadcast_in_dim_5 : tensor<2x8x16xf32>
      %d_dx.subtract_5 = stablehlo.subtract %d_dx.subtract_4, %d_dx.multiply_12 : tensor<2x8x16xf32>
      %d_dx_1 = stablehlo.multiply %d_dx.subtract_5, %d_y.broadcast_in_dim_3 : tensor<2x8x16xf32>
      %d_multiply_3 = stablehlo.multiply %d_own_1, %d_y : tensor<2x8x16xf32>
      %d_reduce_6 = stablehlo.reduce(%d_multiply_3 init: %cst_89) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x8x16xf32>, tensor<f32>) -> tensor<16xf32>
      %d_add_1 = stablehlo.add %d_add, %d_dx_1 : tensor<2x8x16xf32>
      %d_h.reshape_19 = stablehlo.reshape %d_reduce_6 : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_2, %d_h.reshape_19, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h.reshape_20 = stablehlo.reshape %d_reduce_5 : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice_1 = stablehlo.dynamic_update_slice %iterArg_3, %d_h.reshape_20, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h.reshape_21 = stablehlo.reshape %d_own.dot_general_12 : (tensor<16x16xf32>) -> tensor<1x16x2x8xf32>
      %d_h.dynamic_update_slice_2 = stablehlo.dynamic_update_slice %iterArg_4, %d_h.reshape_21, %d_h.subtract, %c_6, %c_6, %c_6 : (tensor<2x16x2x8xf32>, tensor<1x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x16x2x8xf32>
      %d_h.reshape_22 = stablehlo.reshape %d_query : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %d_h.dynamic_update_slice_3 = stablehlo.dynamic_update_slice %iterArg_5, %d_h.reshape_22, %d_h.subtract, %c_6, %c_6 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %d_h.reshape_23 = stablehlo.reshape %d_own.dot_general_10 : (tensor<16x2x8xf32>) -> tensor<1x16x2x8xf32>
      %d_h.dynamic_update_slice_4 = stablehlo.dynamic_update_slice %iterArg_6, %d_h.reshape_23, %d_h.subtract, %c_6, %c_6, %c_6 : (tensor<2x16x2x8xf32>, tensor<1x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x16x2x8xf32>
      %d_h.reshape_24 = stablehlo.reshape %d_key : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %d_h.dynamic_update_slice_5 = stablehlo.dynamic_update_slice %iterArg_7, %d_h.reshape_24, %d_h.subtract, %c_6, %c_6 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %d_h.reshape_25 = stablehlo.reshape %d_own.dot_general_8 : (tensor<16x2x8xf32>) -> tensor<1x16x2x8xf32>
      %d_h.dynamic_update_slice_6 = stablehlo.dynamic_update_slice %iterArg_8, %d_h.reshape_25, %d_h.subtract, %c_6, %c_6, %c_6 : (tensor<2x16x2x8xf32>, tensor<1x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x16x2x8xf32>
      %d_h.reshape_26 = stablehlo.reshape %d_value : (tensor<2x8xf32>) -> tensor<1x2x8xf32>
      %d_h.dynamic_update_slice_7 = stablehlo.dynamic_update_slice %iterArg_9, %d_h.reshape_26, %d_h.subtract, %c_6, %c_6 : (tensor<2x2x8xf32>, tensor<1x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8xf32>
      %d_h.reshape_27 = stablehlo.reshape %d_own.dot_general_6 : (tensor<2x8x16xf32>) -> tensor<1x2x8x16xf32>
      %d_h.dynamic_update_slice_8 = stablehlo.dynamic_update_slice %iterArg_10, %d_h.reshape_27, %d_h.subtract, %c_6, %c_6, %c_6 : (tensor<2x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x2x8x16xf32>
      %d_h.reshape_28 = stablehlo.reshape %d_reduce_4 : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice_9 = stablehlo.dynamic_update_slice %iterArg_11, %d_h.reshape_28, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h.reshape_29 = stablehlo.reshape %d_reduce_3 : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice_10 = stablehlo.dynamic_update_slice %iterArg_12, %d_h.reshape_29, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h.reshape_30 = stablehlo.reshape %d_reduce_2 : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice_11 = stablehlo.dynamic_update_slice %iterArg_13, %d_h.reshape_30, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h.reshape_31 = stablehlo.reshape %d_own.dot_general_4 : (tensor<16x64xf32>) -> tensor<1x16x64xf32>
      %d_h.dynamic_update_slice_12 = stablehlo.dynamic_update_slice %iterArg_14, %d_h.reshape_31, %d_h.subtract, %c_6, %c_6 : (tensor<2x16x64xf32>, tensor<1x16x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x16x64xf32>
      %d_h.reshape_32 = stablehlo.reshape %d_fed : (tensor<64xf32>) -> tensor<1x64xf32>
      %d_h.dynamic_update_slice_13 = stablehlo.dynamic_update_slice %iterArg_15, %d_h.reshape_32, %d_h.subtract, %c_6 : (tensor<2x64xf32>, tensor<1x64xf32>, tensor<i32>, tensor<i32>) -> tensor<2x64xf32>
      %d_h.reshape_33 = stablehlo.reshape %d_own.dot_general_2 : (tensor<64x16xf32>) -> tensor<1x64x16xf32>
      %d_h.dynamic_update_slice_14 = stablehlo.dynamic_update_slice %iterArg_16, %d_h.reshape_33, %d_h.subtract, %c_6, %c_6 : (tensor<2x64x16xf32>, tensor<1x64x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x64x16xf32>
      %d_h.reshape_34 = stablehlo.reshape %d_fed.reduce : (tensor<16xf32>) -> tensor<1x16xf32>
      %d_h.dynamic_update_slice_15 = stablehlo.dynamic_update_slice %iterArg_17, %d_h.reshape_34, %d_h.subtract, %c_6 : (tensor<2x16xf32>, tensor<1x16xf32>, tensor<i32>, tensor<i32>) -> tensor<2x16xf32>
      %d_h_1 = stablehlo.add %iterArg, %c_5 : tensor<i32>
      stablehlo.return %d_h_1, %d_add_1, %d_h.dynamic_update_slice, %d_h.dynamic_update_slice_1, %d_h.dynamic_update_slice_2, %d_h.dynamic_update_slice_3, %d_h.dynamic_update_slice_4, %d_h.dynamic_update_slice_5, %d_h.dynamic_update_slice_6, %d_h.dynamic_update_slice_7, %d_h.dynamic_update_slice_8, %d_h.dynamic_update_slice_9, %d_h.dynamic_update_slice_10, %d_h.dynamic_update_slice_11, %d_h.dynamic_update_slice_12, %d_h.dynamic_update_slice_13, %d_h.dynamic_update_slice_14, %d_h.dynamic_update_slice_15 : tensor<i32>, tensor<2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>
    }
    %d_embedded.multiply = stablehlo.multiply %d_h#1, %cst_2 : tensor<2x8x16xf32>
    %c_3 = stablehlo.constant dense<255> : tensor<i32>
    %d_embedded.clamp = stablehlo.clamp %c_1, %inputs, %c_3 : (tensor<i32>, tensor<2x8xi32>, tensor<i32>) -> tensor<2x8xi32>
    %cst_19 = stablehlo.constant dense<0.000000e+00> : tensor<256x16xf32>
    %d_embedded = "stablehlo.scatter"(%cst_19, %d_embedded.clamp, %d_embedded.multiply) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 2>, unique_indices = false}> ({
    ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
      %d_embedded_1 = stablehlo.add %arg0, %arg1 : tensor<f32>
      stablehlo.return %d_embedded_1 : tensor<f32>
    }) : (tensor<256x16xf32>, tensor<2x8xi32>, tensor<2x8x16xf32>) -> tensor<256x16xf32>
    %gradNorm.multiply = stablehlo.multiply %d_embedded, %d_embedded : tensor<256x16xf32>
    %gradNorm.reduce = stablehlo.reduce(%gradNorm.multiply init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<256x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_1 = stablehlo.multiply %d_h#2, %d_h#2 : tensor<2x16xf32>
    %gradNorm.reduce_1 = stablehlo.reduce(%gradNorm.multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_2 = stablehlo.multiply %d_h#3, %d_h#3 : tensor<2x16xf32>
    %gradNorm.reduce_2 = stablehlo.reduce(%gradNorm.multiply_2 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_3 = stablehlo.multiply %d_h#4, %d_h#4 : tensor<2x16x2x8xf32>
    %gradNorm.reduce_3 = stablehlo.reduce(%gradNorm.multiply_3 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_4 = stablehlo.multiply %d_h#5, %d_h#5 : tensor<2x2x8xf32>
    %gradNorm.reduce_4 = stablehlo.reduce(%gradNorm.multiply_4 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_5 = stablehlo.multiply %d_h#6, %d_h#6 : tensor<2x16x2x8xf32>
    %gradNorm.reduce_5 = stablehlo.reduce(%gradNorm.multiply_5 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_6 = stablehlo.multiply %d_h#7, %d_h#7 : tensor<2x2x8xf32>
    %gradNorm.reduce_6 = stablehlo.reduce(%gradNorm.multiply_6 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_7 = stablehlo.multiply %d_h#8, %d_h#8 : tensor<2x16x2x8xf32>
    %gradNorm.reduce_7 = stablehlo.reduce(%gradNorm.multiply_7 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_8 = stablehlo.multiply %d_h#9, %d_h#9 : tensor<2x2x8xf32>
    %gradNorm.reduce_8 = stablehlo.reduce(%gradNorm.multiply_8 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_9 = stablehlo.multiply %d_h#10, %d_h#10 : tensor<2x2x8x16xf32>
    %gradNorm.reduce_9 = stablehlo.reduce(%gradNorm.multiply_9 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x2x8x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_10 = stablehlo.multiply %d_h#11, %d_h#11 : tensor<2x16xf32>
    %gradNorm.reduce_10 = stablehlo.reduce(%gradNorm.multiply_10 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_11 = stablehlo.multiply %d_h#12, %d_h#12 : tensor<2x16xf32>
    %gradNorm.reduce_11 = stablehlo.reduce(%gradNorm.multiply_11 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_12 = stablehlo.multiply %d_h#13, %d_h#13 : tensor<2x16xf32>
    %gradNorm.reduce_12 = stablehlo.reduce(%gradNorm.multiply_12 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_13 = stablehlo.multiply %d_h#14, %d_h#14 : tensor<2x16x64xf32>
    %gradNorm.reduce_13 = stablehlo.reduce(%gradNorm.multiply_13 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_14 = stablehlo.multiply %d_h#15, %d_h#15 : tensor<2x64xf32>
    %gradNorm.reduce_14 = stablehlo.reduce(%gradNorm.multiply_14 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x64xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_15 = stablehlo.multiply %d_h#16, %d_h#16 : tensor<2x64x16xf32>
    %gradNorm.reduce_15 = stablehlo.reduce(%gradNorm.multiply_15 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x64x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_16 = stablehlo.multiply %d_h#17, %d_h#17 : tensor<2x16xf32>
    %gradNorm.reduce_16 = stablehlo.reduce(%gradNorm.multiply_16 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_17 = stablehlo.multiply %d_reduce_1, %d_reduce_1 : tensor<16xf32>
    %gradNorm.reduce_17 = stablehlo.reduce(%gradNorm.multiply_17 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_18 = stablehlo.multiply %d_reduce, %d_reduce : tensor<16xf32>
    %gradNorm.reduce_18 = stablehlo.reduce(%gradNorm.multiply_18 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<16xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_19 = stablehlo.multiply %d_own, %d_own : tensor<16x256xf32>
    %gradNorm.reduce_19 = stablehlo.reduce(%gradNorm.multiply_19 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<16x256xf32>, tensor<f32>) -> tensor<f32>
    %gradNorm.multiply_20 = stablehlo.multiply %d_sum_1, %d_sum_1 : tensor<256xf32>
    %gradNorm.reduce_20 = stablehlo.reduce(%gradNorm.multiply_20 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<256xf32>, tensor<f32>) -> tensor<f32>
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
    %gradNorm.add_12 = stablehlo.add %gradNorm.add_11, %gradNorm.reduce_13 : tensor<f32>
    %gradNorm.add_13 = stablehlo.add %gradNorm.add_12, %gradNorm.reduce_14 : tensor<f32>
    %gradNorm.add_14 = stablehlo.add %gradNorm.add_13, %gradNorm.reduce_15 : tensor<f32>
    %gradNorm.add_15 = stablehlo.add %gradNorm.add_14, %gradNorm.reduce_16 : tensor<f32>
    %gradNorm.add_16 = stablehlo.add %gradNorm.add_15, %gradNorm.reduce_17 : tensor<f32>
    %gradNorm.add_17 = stablehlo.add %gradNorm.add_16, %gradNorm.reduce_18 : tensor<f32>
    %gradNorm.add_18 = stablehlo.add %gradNorm.add_17, %gradNorm.reduce_19 : tensor<f32>
    %gradNorm.add_19 = stablehlo.add %gradNorm.add_18, %gradNorm.reduce_20 : tensor<f32>
    %gradNorm = stablehlo.sqrt %gradNorm.add_19 : tensor<f32>
    %paramNorm.multiply = stablehlo.multiply %params.tokens.weight, %params.tokens.weight : tensor<256x16xf32>
    %paramNorm.reduce = stablehlo.reduce(%paramNorm.multiply init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<256x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_1 = stablehlo.multiply %params.blocks.attentionNorm.scale, %params.blocks.attentionNorm.scale : tensor<2x16xf32>
    %paramNorm.reduce_1 = stablehlo.reduce(%paramNorm.multiply_1 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_2 = stablehlo.multiply %params.blocks.attentionNorm.bias, %params.blocks.attentionNorm.bias : tensor<2x16xf32>
    %paramNorm.reduce_2 = stablehlo.reduce(%paramNorm.multiply_2 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_3 = stablehlo.multiply %params.blocks.attention.query.weight, %params.blocks.attention.query.weight : tensor<2x16x2x8xf32>
    %paramNorm.reduce_3 = stablehlo.reduce(%paramNorm.multiply_3 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_4 = stablehlo.multiply %params.blocks.attention.query.bias, %params.blocks.attention.query.bias : tensor<2x2x8xf32>
    %paramNorm.reduce_4 = stablehlo.reduce(%paramNorm.multiply_4 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_5 = stablehlo.multiply %params.blocks.attention.key.weight, %params.blocks.attention.key.weight : tensor<2x16x2x8xf32>
    %paramNorm.reduce_5 = stablehlo.reduce(%paramNorm.multiply_5 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_6 = stablehlo.multiply %params.blocks.attention.key.bias, %params.blocks.attention.key.bias : tensor<2x2x8xf32>
    %paramNorm.reduce_6 = stablehlo.reduce(%paramNorm.multiply_6 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_7 = stablehlo.multiply %params.blocks.attention.value.weight, %params.blocks.attention.value.weight : tensor<2x16x2x8xf32>
    %paramNorm.reduce_7 = stablehlo.reduce(%paramNorm.multiply_7 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x16x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_8 = stablehlo.multiply %params.blocks.attention.value.bias, %params.blocks.attention.value.bias : tensor<2x2x8xf32>
    %paramNorm.reduce_8 = stablehlo.reduce(%paramNorm.multiply_8 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x2x8xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_9 = stablehlo.multiply %params.blocks.attention.output.weight, %params.blocks.attention.output.weight : tensor<2x2x8x16xf32>
    %paramNorm.reduce_9 = stablehlo.reduce(%paramNorm.multiply_9 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<2x2x8x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_10 = stablehlo.multiply %params.blocks.attention.output.bias, %params.blocks.attention.output.bias : tensor<2x16xf32>
    %paramNorm.reduce_10 = stablehlo.reduce(%paramNorm.multiply_10 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_11 = stablehlo.multiply %params.blocks.mlpNorm.scale, %params.blocks.mlpNorm.scale : tensor<2x16xf32>
    %paramNorm.reduce_11 = stablehlo.reduce(%paramNorm.multiply_11 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_12 = stablehlo.multiply %params.blocks.mlpNorm.bias, %params.blocks.mlpNorm.bias : tensor<2x16xf32>
    %paramNorm.reduce_12 = stablehlo.reduce(%paramNorm.multiply_12 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_13 = stablehlo.multiply %params.blocks.mlp.up.weight, %params.blocks.mlp.up.weight : tensor<2x16x64xf32>
    %paramNorm.reduce_13 = stablehlo.reduce(%paramNorm.multiply_13 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_14 = stablehlo.multiply %params.blocks.mlp.up.bias, %params.blocks.mlp.up.bias : tensor<2x64xf32>
    %paramNorm.reduce_14 = stablehlo.reduce(%paramNorm.multiply_14 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x64xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_15 = stablehlo.multiply %params.blocks.mlp.down.weight, %params.blocks.mlp.down.weight : tensor<2x64x16xf32>
    %paramNorm.reduce_15 = stablehlo.reduce(%paramNorm.multiply_15 init: %cst) applies stablehlo.add across dimensions = [0, 1, 2] : (tensor<2x64x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_16 = stablehlo.multiply %params.blocks.mlp.down.bias, %params.blocks.mlp.down.bias : tensor<2x16xf32>
    %paramNorm.reduce_16 = stablehlo.reduce(%paramNorm.multiply_16 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_17 = stablehlo.multiply %params.norm.scale, %params.norm.scale : tensor<16xf32>
    %paramNorm.reduce_17 = stablehlo.reduce(%paramNorm.multiply_17 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_18 = stablehlo.multiply %params.norm.bias, %params.norm.bias : tensor<16xf32>
    %paramNorm.reduce_18 = stablehlo.reduce(%paramNorm.multiply_18 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<16xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_19 = stablehlo.multiply %params.head.weight, %params.head.weight : tensor<16x256xf32>
    %paramNorm.reduce_19 = stablehlo.reduce(%paramNorm.multiply_19 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<16x256xf32>, tensor<f32>) -> tensor<f32>
    %paramNorm.multiply_20 = stablehlo.multiply %params.head.bias, %params.head.bias : tensor<256xf32>
    %paramNorm.reduce_20 = stablehlo.reduce(%paramNorm.multiply_20 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<256xf32>, tensor<f32>) -> tensor<f32>
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
    %paramNorm.add_12 = stablehlo.add %paramNorm.add_11, %paramNorm.reduce_13 : tensor<f32>
    %paramNorm.add_13 = stablehlo.add %paramNorm.add_12, %paramNorm.reduce_14 : tensor<f32>
    %paramNorm.add_14 = stablehlo.add %paramNorm.add_13, %paramNorm.reduce_15 : tensor<f32>
    %paramNorm.add_15 = stablehlo.add %paramNorm.add_14, %paramNorm.reduce_16 : tensor<f32>
    %paramNorm.add_16 = stablehlo.add %paramNorm.add_15, %paramNorm.reduce_17 : tensor<f32>
    %paramNorm.add_17 = stablehlo.add %paramNorm.add_16, %paramNorm.reduce_18 : tensor<f32>
    %paramNorm.add_18 = stablehlo.add %paramNorm.add_17, %paramNorm.reduce_19 : tensor<f32>
    %paramNorm.add_19 = stablehlo.add %paramNorm.add_18, %paramNorm.reduce_20 : tensor<f32>
    %paramNorm = stablehlo.sqrt %paramNorm.add_19 : tensor<f32>
    %scale.compare = stablehlo.compare LT, %gradNorm, %cst_1, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %scale.divide = stablehlo.divide %cst_1, %gradNorm : tensor<f32>
    %scale = stablehlo.select %scale.compare, %cst_1, %scale.divide : tensor<i1>, tensor<f32>
    %at_1 = stablehlo.convert %step : (tensor<i32>) -> tensor<f32>
    %cst_20 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %rising = stablehlo.multiply %at_1, %cst_20 : tensor<f32>
    %cst_21 = stablehlo.constant dense<1.000000e+02> : tensor<f32>
    %done.subtract = stablehlo.subtract %at_1, %cst_21 : tensor<f32>
    %cst_22 = stablehlo.constant dense<9.000000e+02> : tensor<f32>
    %done.divide = stablehlo.divide %done.subtract, %cst_22 : tensor<f32>
    %done.maximum = stablehlo.maximum %done.divide, %cst : tensor<f32>
    %done = stablehlo.minimum %done.maximum, %cst_1 : tensor<f32>
    %cst_23 = stablehlo.constant dense<3.14159274> : tensor<f32>
    %multiply_2 = stablehlo.multiply %done, %cst_23 : tensor<f32>
    %cosine_1 = stablehlo.cosine %multiply_2 : tensor<f32>
    %add_1 = stablehlo.add %cosine_1, %cst_1 : tensor<f32>
    %cst_24 = stablehlo.constant dense<4.500000e-04> : tensor<f32>
    %multiply_3 = stablehlo.multiply %add_1, %cst_24 : tensor<f32>
    %cst_25 = stablehlo.constant dense<9.99999974E-5> : tensor<f32>
    %add_2 = stablehlo.add %multiply_3, %cst_25 : tensor<f32>
    %rate.compare = stablehlo.compare LT, %at_1, %cst_21, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %rate = stablehlo.select %rate.compare, %rising, %add_2 : tensor<i1>, tensor<f32>
    %c_4 = stablehlo.constant dense<1> : tensor<i32>
    %step_1 = stablehlo.add %step, %c_4 : tensor<i32>
    %t = stablehlo.convert %step_1 : (tensor<i32>) -> tensor<f32>
    %cst_26 = stablehlo.constant dense<0.899999976> : tensor<f32>
    %correction1.power = stablehlo.power %cst_26, %t : tensor<f32>
    %negate = stablehlo.negate %correction1.power : tensor<f32>
    %correction1.add = stablehlo.add %negate, %cst_1 : tensor<f32>
    %correction1 = stablehlo.divide %cst_1, %correction1.add : tensor<f32>
    %cst_27 = stablehlo.constant dense<9.900000e-01> : tensor<f32>
    %correction2.power = stablehlo.power %cst_27, %t : tensor<f32>
    %negate_1 = stablehlo.negate %correction2.power : tensor<f32>
    %correction2.add = stablehlo.add %negate_1, %cst_1 : tensor<f32>
    %correction2 = stablehlo.divide %cst_1, %correction2.add : tensor<f32>
    %g.broadcast_in_dim = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<256x16xf32>
    %g.multiply = stablehlo.multiply %d_embedded, %g.broadcast_in_dim : tensor<256x16xf32>
    %cst_28 = stablehlo.constant dense<0.899999976> : tensor<256x16xf32>
    %mu.multiply = stablehlo.multiply %optimizer.mu.tokens.weight, %cst_28 : tensor<256x16xf32>
    %cst_29 = stablehlo.constant dense<1.000000e-01> : tensor<256x16xf32>
    %mu.multiply_1 = stablehlo.multiply %g.multiply, %cst_29 : tensor<256x16xf32>
    %mu.add = stablehlo.add %mu.multiply, %mu.multiply_1 : tensor<256x16xf32>
    %cst_30 = stablehlo.constant dense<9.900000e-01> : tensor<256x16xf32>
    %nu.multiply = stablehlo.multiply %optimizer.nu.tokens.weight, %cst_30 : tensor<256x16xf32>
    %nu.multiply_1 = stablehlo.multiply %g.multiply, %g.multiply : tensor<256x16xf32>
    %cst_31 = stablehlo.constant dense<0.00999999977> : tensor<256x16xf32>
    %nu.multiply_2 = stablehlo.multiply %nu.multiply_1, %cst_31 : tensor<256x16xf32>
    %nu.add = stablehlo.add %nu.multiply, %nu.multiply_2 : tensor<256x16xf32>
    %direction.broadcast_in_dim = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<256x16xf32>
    %direction.multiply = stablehlo.multiply %mu.add, %direction.broadcast_in_dim : tensor<256x16xf32>
    %direction.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<256x16xf32>
    %direction.multiply_1 = stablehlo.multiply %nu.add, %direction.broadcast_in_dim_1 : tensor<256x16xf32>
    %direction.sqrt = stablehlo.sqrt %direction.multiply_1 : tensor<256x16xf32>
    %cst_32 = stablehlo.constant dense<9.99999993E-9> : tensor<256x16xf32>
    %direction.add = stablehlo.add %direction.sqrt, %cst_32 : tensor<256x16xf32>
    %direction.divide = stablehlo.divide %direction.multiply, %direction.add : tensor<256x16xf32>
    %p.broadcast_in_dim = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<256x16xf32>
    %p.multiply = stablehlo.multiply %direction.divide, %p.broadcast_in_dim : tensor<256x16xf32>
    %p.subtract = stablehlo.subtract %params.tokens.weight, %p.multiply : tensor<256x16xf32>
    %g.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x16xf32>
    %g.multiply_1 = stablehlo.multiply %d_h#2, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %cst_33 = stablehlo.constant dense<0.899999976> : tensor<2x16xf32>
    %mu.multiply_2 = stablehlo.multiply %optimizer.mu.blocks.attentionNorm.scale, %cst_33 : tensor<2x16xf32>
    %cst_34 = stablehlo.constant dense<1.000000e-01> : tensor<2x16xf32>
    %mu.multiply_3 = stablehlo.multiply %g.multiply_1, %cst_34 : tensor<2x16xf32>
    %mu.add_1 = stablehlo.add %mu.multiply_2, %mu.multiply_3 : tensor<2x16xf32>
    %cst_35 = stablehlo.constant dense<9.900000e-01> : tensor<2x16xf32>
    %nu.multiply_3 = stablehlo.multiply %optimizer.nu.blocks.attentionNorm.scale, %cst_35 : tensor<2x16xf32>
    %nu.multiply_4 = stablehlo.multiply %g.multiply_1, %g.multiply_1 : tensor<2x16xf32>
    %cst_36 = stablehlo.constant dense<0.00999999977> : tensor<2x16xf32>
    %nu.multiply_5 = stablehlo.multiply %nu.multiply_4, %cst_36 : tensor<2x16xf32>
    %nu.add_1 = stablehlo.add %nu.multiply_3, %nu.multiply_5 : tensor<2x16xf32>
    %direction.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x16xf32>
    %direction.multiply_2 = stablehlo.multiply %mu.add_1, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x16xf32>
    %direction.multiply_3 = stablehlo.multiply %nu.add_1, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_1 = stablehlo.sqrt %direction.multiply_3 : tensor<2x16xf32>
    %cst_37 = stablehlo.constant dense<9.99999993E-9> : tensor<2x16xf32>
    %direction.add_1 = stablehlo.add %direction.sqrt_1, %cst_37 : tensor<2x16xf32>
    %direction.divide_1 = stablehlo.divide %direction.multiply_2, %direction.add_1 : tensor<2x16xf32>
    %p.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x16xf32>
    %p.multiply_1 = stablehlo.multiply %direction.divide_1, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_1 = stablehlo.subtract %params.blocks.attentionNorm.scale, %p.multiply_1 : tensor<2x16xf32>
    %g.multiply_2 = stablehlo.multiply %d_h#3, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %mu.multiply_4 = stablehlo.multiply %optimizer.mu.blocks.attentionNorm.bias, %cst_33 : tensor<2x16xf32>
    %mu.multiply_5 = stablehlo.multiply %g.multiply_2, %cst_34 : tensor<2x16xf32>
    %mu.add_2 = stablehlo.add %mu.multiply_4, %mu.multiply_5 : tensor<2x16xf32>
    %nu.multiply_6 = stablehlo.multiply %optimizer.nu.blocks.attentionNorm.bias, %cst_35 : tensor<2x16xf32>
    %nu.multiply_7 = stablehlo.multiply %g.multiply_2, %g.multiply_2 : tensor<2x16xf32>
    %nu.multiply_8 = stablehlo.multiply %nu.multiply_7, %cst_36 : tensor<2x16xf32>
    %nu.add_2 = stablehlo.add %nu.multiply_6, %nu.multiply_8 : tensor<2x16xf32>
    %direction.multiply_4 = stablehlo.multiply %mu.add_2, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.multiply_5 = stablehlo.multiply %nu.add_2, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_2 = stablehlo.sqrt %direction.multiply_5 : tensor<2x16xf32>
    %direction.add_2 = stablehlo.add %direction.sqrt_2, %cst_37 : tensor<2x16xf32>
    %direction.divide_2 = stablehlo.divide %direction.multiply_4, %direction.add_2 : tensor<2x16xf32>
    %p.multiply_2 = stablehlo.multiply %direction.divide_2, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_2 = stablehlo.subtract %params.blocks.attentionNorm.bias, %p.multiply_2 : tensor<2x16xf32>
    %g.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x16x2x8xf32>
    %g.multiply_3 = stablehlo.multiply %d_h#4, %g.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %cst_38 = stablehlo.constant dense<0.899999976> : tensor<2x16x2x8xf32>
    %mu.multiply_6 = stablehlo.multiply %optimizer.mu.blocks.attention.query.weight, %cst_38 : tensor<2x16x2x8xf32>
    %cst_39 = stablehlo.constant dense<1.000000e-01> : tensor<2x16x2x8xf32>
    %mu.multiply_7 = stablehlo.multiply %g.multiply_3, %cst_39 : tensor<2x16x2x8xf32>
    %mu.add_3 = stablehlo.add %mu.multiply_6, %mu.multiply_7 : tensor<2x16x2x8xf32>
    %cst_40 = stablehlo.constant dense<9.900000e-01> : tensor<2x16x2x8xf32>
    %nu.multiply_9 = stablehlo.multiply %optimizer.nu.blocks.attention.query.weight, %cst_40 : tensor<2x16x2x8xf32>
    %nu.multiply_10 = stablehlo.multiply %g.multiply_3, %g.multiply_3 : tensor<2x16x2x8xf32>
    %cst_41 = stablehlo.constant dense<0.00999999977> : tensor<2x16x2x8xf32>
    %nu.multiply_11 = stablehlo.multiply %nu.multiply_10, %cst_41 : tensor<2x16x2x8xf32>
    %nu.add_3 = stablehlo.add %nu.multiply_9, %nu.multiply_11 : tensor<2x16x2x8xf32>
    %direction.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x16x2x8xf32>
    %direction.multiply_6 = stablehlo.multiply %mu.add_3, %direction.broadcast_in_dim_4 : tensor<2x16x2x8xf32>
    %direction.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x16x2x8xf32>
    %direction.multiply_7 = stablehlo.multiply %nu.add_3, %direction.broadcast_in_dim_5 : tensor<2x16x2x8xf32>
    %direction.sqrt_3 = stablehlo.sqrt %direction.multiply_7 : tensor<2x16x2x8xf32>
    %cst_42 = stablehlo.constant dense<9.99999993E-9> : tensor<2x16x2x8xf32>
    %direction.add_3 = stablehlo.add %direction.sqrt_3, %cst_42 : tensor<2x16x2x8xf32>
    %direction.divide_3 = stablehlo.divide %direction.multiply_6, %direction.add_3 : tensor<2x16x2x8xf32>
    %cst_43 = stablehlo.constant dense<1.000000e-01> : tensor<2x16x2x8xf32>
    %decayed.multiply = stablehlo.multiply %params.blocks.attention.query.weight, %cst_43 : tensor<2x16x2x8xf32>
    %decayed.add = stablehlo.add %direction.divide_3, %decayed.multiply : tensor<2x16x2x8xf32>
    %p.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x16x2x8xf32>
    %p.multiply_3 = stablehlo.multiply %decayed.add, %p.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %p.subtract_3 = stablehlo.subtract %params.blocks.attention.query.weight, %p.multiply_3 : tensor<2x16x2x8xf32>
    %g.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x2x8xf32>
    %g.multiply_4 = stablehlo.multiply %d_h#5, %g.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %cst_44 = stablehlo.constant dense<0.899999976> : tensor<2x2x8xf32>
    %mu.multiply_8 = stablehlo.multiply %optimizer.mu.blocks.attention.query.bias, %cst_44 : tensor<2x2x8xf32>
    %cst_45 = stablehlo.constant dense<1.000000e-01> : tensor<2x2x8xf32>
    %mu.multiply_9 = stablehlo.multiply %g.multiply_4, %cst_45 : tensor<2x2x8xf32>
    %mu.add_4 = stablehlo.add %mu.multiply_8, %mu.multiply_9 : tensor<2x2x8xf32>
    %cst_46 = stablehlo.constant dense<9.900000e-01> : tensor<2x2x8xf32>
    %nu.multiply_12 = stablehlo.multiply %optimizer.nu.blocks.attention.query.bias, %cst_46 : tensor<2x2x8xf32>
    %nu.multiply_13 = stablehlo.multiply %g.multiply_4, %g.multiply_4 : tensor<2x2x8xf32>
    %cst_47 = stablehlo.constant dense<0.00999999977> : tensor<2x2x8xf32>
    %nu.multiply_14 = stablehlo.multiply %nu.multiply_13, %cst_47 : tensor<2x2x8xf32>
    %nu.add_4 = stablehlo.add %nu.multiply_12, %nu.multiply_14 : tensor<2x2x8xf32>
    %direction.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x2x8xf32>
    %direction.multiply_8 = stablehlo.multiply %mu.add_4, %direction.broadcast_in_dim_6 : tensor<2x2x8xf32>
    %direction.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x2x8xf32>
    %direction.multiply_9 = stablehlo.multiply %nu.add_4, %direction.broadcast_in_dim_7 : tensor<2x2x8xf32>
    %direction.sqrt_4 = stablehlo.sqrt %direction.multiply_9 : tensor<2x2x8xf32>
    %cst_48 = stablehlo.constant dense<9.99999993E-9> : tensor<2x2x8xf32>
    %direction.add_4 = stablehlo.add %direction.sqrt_4, %cst_48 : tensor<2x2x8xf32>
    %direction.divide_4 = stablehlo.divide %direction.multiply_8, %direction.add_4 : tensor<2x2x8xf32>
    %p.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x2x8xf32>
    %p.multiply_4 = stablehlo.multiply %direction.divide_4, %p.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %p.subtract_4 = stablehlo.subtract %params.blocks.attention.query.bias, %p.multiply_4 : tensor<2x2x8xf32>
    %g.multiply_5 = stablehlo.multiply %d_h#6, %g.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %mu.multiply_10 = stablehlo.multiply %optimizer.mu.blocks.attention.key.weight, %cst_38 : tensor<2x16x2x8xf32>
    %mu.multiply_11 = stablehlo.multiply %g.multiply_5, %cst_39 : tensor<2x16x2x8xf32>
    %mu.add_5 = stablehlo.add %mu.multiply_10, %mu.multiply_11 : tensor<2x16x2x8xf32>
    %nu.multiply_15 = stablehlo.multiply %optimizer.nu.blocks.attention.key.weight, %cst_40 : tensor<2x16x2x8xf32>
    %nu.multiply_16 = stablehlo.multiply %g.multiply_5, %g.multiply_5 : tensor<2x16x2x8xf32>
    %nu.multiply_17 = stablehlo.multiply %nu.multiply_16, %cst_41 : tensor<2x16x2x8xf32>
    %nu.add_5 = stablehlo.add %nu.multiply_15, %nu.multiply_17 : tensor<2x16x2x8xf32>
    %direction.multiply_10 = stablehlo.multiply %mu.add_5, %direction.broadcast_in_dim_4 : tensor<2x16x2x8xf32>
    %direction.multiply_11 = stablehlo.multiply %nu.add_5, %direction.broadcast_in_dim_5 : tensor<2x16x2x8xf32>
    %direction.sqrt_5 = stablehlo.sqrt %direction.multiply_11 : tensor<2x16x2x8xf32>
    %direction.add_5 = stablehlo.add %direction.sqrt_5, %cst_42 : tensor<2x16x2x8xf32>
    %direction.divide_5 = stablehlo.divide %direction.multiply_10, %direction.add_5 : tensor<2x16x2x8xf32>
    %decayed.multiply_1 = stablehlo.multiply %params.blocks.attention.key.weight, %cst_43 : tensor<2x16x2x8xf32>
    %decayed.add_1 = stablehlo.add %direction.divide_5, %decayed.multiply_1 : tensor<2x16x2x8xf32>
    %p.multiply_5 = stablehlo.multiply %decayed.add_1, %p.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %p.subtract_5 = stablehlo.subtract %params.blocks.attention.key.weight, %p.multiply_5 : tensor<2x16x2x8xf32>
    %g.multiply_6 = stablehlo.multiply %d_h#7, %g.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %mu.multiply_12 = stablehlo.multiply %optimizer.mu.blocks.attention.key.bias, %cst_44 : tensor<2x2x8xf32>
    %mu.multiply_13 = stablehlo.multiply %g.multiply_6, %cst_45 : tensor<2x2x8xf32>
    %mu.add_6 = stablehlo.add %mu.multiply_12, %mu.multiply_13 : tensor<2x2x8xf32>
    %nu.multiply_18 = stablehlo.multiply %optimizer.nu.blocks.attention.key.bias, %cst_46 : tensor<2x2x8xf32>
    %nu.multiply_19 = stablehlo.multiply %g.multiply_6, %g.multiply_6 : tensor<2x2x8xf32>
    %nu.multiply_20 = stablehlo.multiply %nu.multiply_19, %cst_47 : tensor<2x2x8xf32>
    %nu.add_6 = stablehlo.add %nu.multiply_18, %nu.multiply_20 : tensor<2x2x8xf32>
    %direction.multiply_12 = stablehlo.multiply %mu.add_6, %direction.broadcast_in_dim_6 : tensor<2x2x8xf32>
    %direction.multiply_13 = stablehlo.multiply %nu.add_6, %direction.broadcast_in_dim_7 : tensor<2x2x8xf32>
    %direction.sqrt_6 = stablehlo.sqrt %direction.multiply_13 : tensor<2x2x8xf32>
    %direction.add_6 = stablehlo.add %direction.sqrt_6, %cst_48 : tensor<2x2x8xf32>
    %direction.divide_6 = stablehlo.divide %direction.multiply_12, %direction.add_6 : tensor<2x2x8xf32>
    %p.multiply_6 = stablehlo.multiply %direction.divide_6, %p.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %p.subtract_6 = stablehlo.subtract %params.blocks.attention.key.bias, %p.multiply_6 : tensor<2x2x8xf32>
    %g.multiply_7 = stablehlo.multiply %d_h#8, %g.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %mu.multiply_14 = stablehlo.multiply %optimizer.mu.blocks.attention.value.weight, %cst_38 : tensor<2x16x2x8xf32>
    %mu.multiply_15 = stablehlo.multiply %g.multiply_7, %cst_39 : tensor<2x16x2x8xf32>
    %mu.add_7 = stablehlo.add %mu.multiply_14, %mu.multiply_15 : tensor<2x16x2x8xf32>
    %nu.multiply_21 = stablehlo.multiply %optimizer.nu.blocks.attention.value.weight, %cst_40 : tensor<2x16x2x8xf32>
    %nu.multiply_22 = stablehlo.multiply %g.multiply_7, %g.multiply_7 : tensor<2x16x2x8xf32>
    %nu.multiply_23 = stablehlo.multiply %nu.multiply_22, %cst_41 : tensor<2x16x2x8xf32>
    %nu.add_7 = stablehlo.add %nu.multiply_21, %nu.multiply_23 : tensor<2x16x2x8xf32>
    %direction.multiply_14 = stablehlo.multiply %mu.add_7, %direction.broadcast_in_dim_4 : tensor<2x16x2x8xf32>
    %direction.multiply_15 = stablehlo.multiply %nu.add_7, %direction.broadcast_in_dim_5 : tensor<2x16x2x8xf32>
    %direction.sqrt_7 = stablehlo.sqrt %direction.multiply_15 : tensor<2x16x2x8xf32>
    %direction.add_7 = stablehlo.add %direction.sqrt_7, %cst_42 : tensor<2x16x2x8xf32>
    %direction.divide_7 = stablehlo.divide %direction.multiply_14, %direction.add_7 : tensor<2x16x2x8xf32>
    %decayed.multiply_2 = stablehlo.multiply %params.blocks.attention.value.weight, %cst_43 : tensor<2x16x2x8xf32>
    %decayed.add_2 = stablehlo.add %direction.divide_7, %decayed.multiply_2 : tensor<2x16x2x8xf32>
    %p.multiply_7 = stablehlo.multiply %decayed.add_2, %p.broadcast_in_dim_2 : tensor<2x16x2x8xf32>
    %p.subtract_7 = stablehlo.subtract %params.blocks.attention.value.weight, %p.multiply_7 : tensor<2x16x2x8xf32>
    %g.multiply_8 = stablehlo.multiply %d_h#9, %g.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %mu.multiply_16 = stablehlo.multiply %optimizer.mu.blocks.attention.value.bias, %cst_44 : tensor<2x2x8xf32>
    %mu.multiply_17 = stablehlo.multiply %g.multiply_8, %cst_45 : tensor<2x2x8xf32>
    %mu.add_8 = stablehlo.add %mu.multiply_16, %mu.multiply_17 : tensor<2x2x8xf32>
    %nu.multiply_24 = stablehlo.multiply %optimizer.nu.blocks.attention.value.bias, %cst_46 : tensor<2x2x8xf32>
    %nu.multiply_25 = stablehlo.multiply %g.multiply_8, %g.multiply_8 : tensor<2x2x8xf32>
    %nu.multiply_26 = stablehlo.multiply %nu.multiply_25, %cst_47 : tensor<2x2x8xf32>
    %nu.add_8 = stablehlo.add %nu.multiply_24, %nu.multiply_26 : tensor<2x2x8xf32>
    %direction.multiply_16 = stablehlo.multiply %mu.add_8, %direction.broadcast_in_dim_6 : tensor<2x2x8xf32>
    %direction.multiply_17 = stablehlo.multiply %nu.add_8, %direction.broadcast_in_dim_7 : tensor<2x2x8xf32>
    %direction.sqrt_8 = stablehlo.sqrt %direction.multiply_17 : tensor<2x2x8xf32>
    %direction.add_8 = stablehlo.add %direction.sqrt_8, %cst_48 : tensor<2x2x8xf32>
    %direction.divide_8 = stablehlo.divide %direction.multiply_16, %direction.add_8 : tensor<2x2x8xf32>
    %p.multiply_8 = stablehlo.multiply %direction.divide_8, %p.broadcast_in_dim_3 : tensor<2x2x8xf32>
    %p.subtract_8 = stablehlo.subtract %params.blocks.attention.value.bias, %p.multiply_8 : tensor<2x2x8xf32>
    %g.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x2x8x16xf32>
    %g.multiply_9 = stablehlo.multiply %d_h#10, %g.broadcast_in_dim_4 : tensor<2x2x8x16xf32>
    %cst_49 = stablehlo.constant dense<0.899999976> : tensor<2x2x8x16xf32>
    %mu.multiply_18 = stablehlo.multiply %optimizer.mu.blocks.attention.output.weight, %cst_49 : tensor<2x2x8x16xf32>
    %cst_50 = stablehlo.constant dense<1.000000e-01> : tensor<2x2x8x16xf32>
    %mu.multiply_19 = stablehlo.multiply %g.multiply_9, %cst_50 : tensor<2x2x8x16xf32>
    %mu.add_9 = stablehlo.add %mu.multiply_18, %mu.multiply_19 : tensor<2x2x8x16xf32>
    %cst_51 = stablehlo.constant dense<9.900000e-01> : tensor<2x2x8x16xf32>
    %nu.multiply_27 = stablehlo.multiply %optimizer.nu.blocks.attention.output.weight, %cst_51 : tensor<2x2x8x16xf32>
    %nu.multiply_28 = stablehlo.multiply %g.multiply_9, %g.multiply_9 : tensor<2x2x8x16xf32>
    %cst_52 = stablehlo.constant dense<0.00999999977> : tensor<2x2x8x16xf32>
    %nu.multiply_29 = stablehlo.multiply %nu.multiply_28, %cst_52 : tensor<2x2x8x16xf32>
    %nu.add_9 = stablehlo.add %nu.multiply_27, %nu.multiply_29 : tensor<2x2x8x16xf32>
    %direction.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x2x8x16xf32>
    %direction.multiply_18 = stablehlo.multiply %mu.add_9, %direction.broadcast_in_dim_8 : tensor<2x2x8x16xf32>
    %direction.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x2x8x16xf32>
    %direction.multiply_19 = stablehlo.multiply %nu.add_9, %direction.broadcast_in_dim_9 : tensor<2x2x8x16xf32>
    %direction.sqrt_9 = stablehlo.sqrt %direction.multiply_19 : tensor<2x2x8x16xf32>
    %cst_53 = stablehlo.constant dense<9.99999993E-9> : tensor<2x2x8x16xf32>
    %direction.add_9 = stablehlo.add %direction.sqrt_9, %cst_53 : tensor<2x2x8x16xf32>
    %direction.divide_9 = stablehlo.divide %direction.multiply_18, %direction.add_9 : tensor<2x2x8x16xf32>
    %cst_54 = stablehlo.constant dense<1.000000e-01> : tensor<2x2x8x16xf32>
    %decayed.multiply_3 = stablehlo.multiply %params.blocks.attention.output.weight, %cst_54 : tensor<2x2x8x16xf32>
    %decayed.add_3 = stablehlo.add %direction.divide_9, %decayed.multiply_3 : tensor<2x2x8x16xf32>
    %p.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x2x8x16xf32>
    %p.multiply_9 = stablehlo.multiply %decayed.add_3, %p.broadcast_in_dim_4 : tensor<2x2x8x16xf32>
    %p.subtract_9 = stablehlo.subtract %params.blocks.attention.output.weight, %p.multiply_9 : tensor<2x2x8x16xf32>
    %g.multiply_10 = stablehlo.multiply %d_h#11, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %mu.multiply_20 = stablehlo.multiply %optimizer.mu.blocks.attention.output.bias, %cst_33 : tensor<2x16xf32>
    %mu.multiply_21 = stablehlo.multiply %g.multiply_10, %cst_34 : tensor<2x16xf32>
    %mu.add_10 = stablehlo.add %mu.multiply_20, %mu.multiply_21 : tensor<2x16xf32>
    %nu.multiply_30 = stablehlo.multiply %optimizer.nu.blocks.attention.output.bias, %cst_35 : tensor<2x16xf32>
    %nu.multiply_31 = stablehlo.multiply %g.multiply_10, %g.multiply_10 : tensor<2x16xf32>
    %nu.multiply_32 = stablehlo.multiply %nu.multiply_31, %cst_36 : tensor<2x16xf32>
    %nu.add_10 = stablehlo.add %nu.multiply_30, %nu.multiply_32 : tensor<2x16xf32>
    %direction.multiply_20 = stablehlo.multiply %mu.add_10, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.multiply_21 = stablehlo.multiply %nu.add_10, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_10 = stablehlo.sqrt %direction.multiply_21 : tensor<2x16xf32>
    %direction.add_10 = stablehlo.add %direction.sqrt_10, %cst_37 : tensor<2x16xf32>
    %direction.divide_10 = stablehlo.divide %direction.multiply_20, %direction.add_10 : tensor<2x16xf32>
    %p.multiply_10 = stablehlo.multiply %direction.divide_10, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_10 = stablehlo.subtract %params.blocks.attention.output.bias, %p.multiply_10 : tensor<2x16xf32>
    %g.multiply_11 = stablehlo.multiply %d_h#12, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %mu.multiply_22 = stablehlo.multiply %optimizer.mu.blocks.mlpNorm.scale, %cst_33 : tensor<2x16xf32>
    %mu.multiply_23 = stablehlo.multiply %g.multiply_11, %cst_34 : tensor<2x16xf32>
    %mu.add_11 = stablehlo.add %mu.multiply_22, %mu.multiply_23 : tensor<2x16xf32>
    %nu.multiply_33 = stablehlo.multiply %optimizer.nu.blocks.mlpNorm.scale, %cst_35 : tensor<2x16xf32>
    %nu.multiply_34 = stablehlo.multiply %g.multiply_11, %g.multiply_11 : tensor<2x16xf32>
    %nu.multiply_35 = stablehlo.multiply %nu.multiply_34, %cst_36 : tensor<2x16xf32>
    %nu.add_11 = stablehlo.add %nu.multiply_33, %nu.multiply_35 : tensor<2x16xf32>
    %direction.multiply_22 = stablehlo.multiply %mu.add_11, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.multiply_23 = stablehlo.multiply %nu.add_11, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_11 = stablehlo.sqrt %direction.multiply_23 : tensor<2x16xf32>
    %direction.add_11 = stablehlo.add %direction.sqrt_11, %cst_37 : tensor<2x16xf32>
    %direction.divide_11 = stablehlo.divide %direction.multiply_22, %direction.add_11 : tensor<2x16xf32>
    %p.multiply_11 = stablehlo.multiply %direction.divide_11, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_11 = stablehlo.subtract %params.blocks.mlpNorm.scale, %p.multiply_11 : tensor<2x16xf32>
    %g.multiply_12 = stablehlo.multiply %d_h#13, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %mu.multiply_24 = stablehlo.multiply %optimizer.mu.blocks.mlpNorm.bias, %cst_33 : tensor<2x16xf32>
    %mu.multiply_25 = stablehlo.multiply %g.multiply_12, %cst_34 : tensor<2x16xf32>
    %mu.add_12 = stablehlo.add %mu.multiply_24, %mu.multiply_25 : tensor<2x16xf32>
    %nu.multiply_36 = stablehlo.multiply %optimizer.nu.blocks.mlpNorm.bias, %cst_35 : tensor<2x16xf32>
    %nu.multiply_37 = stablehlo.multiply %g.multiply_12, %g.multiply_12 : tensor<2x16xf32>
    %nu.multiply_38 = stablehlo.multiply %nu.multiply_37, %cst_36 : tensor<2x16xf32>
    %nu.add_12 = stablehlo.add %nu.multiply_36, %nu.multiply_38 : tensor<2x16xf32>
    %direction.multiply_24 = stablehlo.multiply %mu.add_12, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.multiply_25 = stablehlo.multiply %nu.add_12, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_12 = stablehlo.sqrt %direction.multiply_25 : tensor<2x16xf32>
    %direction.add_12 = stablehlo.add %direction.sqrt_12, %cst_37 : tensor<2x16xf32>
    %direction.divide_12 = stablehlo.divide %direction.multiply_24, %direction.add_12 : tensor<2x16xf32>
    %p.multiply_12 = stablehlo.multiply %direction.divide_12, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_12 = stablehlo.subtract %params.blocks.mlpNorm.bias, %p.multiply_12 : tensor<2x16xf32>
    %g.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x16x64xf32>
    %g.multiply_13 = stablehlo.multiply %d_h#14, %g.broadcast_in_dim_5 : tensor<2x16x64xf32>
    %cst_55 = stablehlo.constant dense<0.899999976> : tensor<2x16x64xf32>
    %mu.multiply_26 = stablehlo.multiply %optimizer.mu.blocks.mlp.up.weight, %cst_55 : tensor<2x16x64xf32>
    %cst_56 = stablehlo.constant dense<1.000000e-01> : tensor<2x16x64xf32>
    %mu.multiply_27 = stablehlo.multiply %g.multiply_13, %cst_56 : tensor<2x16x64xf32>
    %mu.add_13 = stablehlo.add %mu.multiply_26, %mu.multiply_27 : tensor<2x16x64xf32>
    %cst_57 = stablehlo.constant dense<9.900000e-01> : tensor<2x16x64xf32>
    %nu.multiply_39 = stablehlo.multiply %optimizer.nu.blocks.mlp.up.weight, %cst_57 : tensor<2x16x64xf32>
    %nu.multiply_40 = stablehlo.multiply %g.multiply_13, %g.multiply_13 : tensor<2x16x64xf32>
    %cst_58 = stablehlo.constant dense<0.00999999977> : tensor<2x16x64xf32>
    %nu.multiply_41 = stablehlo.multiply %nu.multiply_40, %cst_58 : tensor<2x16x64xf32>
    %nu.add_13 = stablehlo.add %nu.multiply_39, %nu.multiply_41 : tensor<2x16x64xf32>
    %direction.broadcast_in_dim_10 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x16x64xf32>
    %direction.multiply_26 = stablehlo.multiply %mu.add_13, %direction.broadcast_in_dim_10 : tensor<2x16x64xf32>
    %direction.broadcast_in_dim_11 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x16x64xf32>
    %direction.multiply_27 = stablehlo.multiply %nu.add_13, %direction.broadcast_in_dim_11 : tensor<2x16x64xf32>
    %direction.sqrt_13 = stablehlo.sqrt %direction.multiply_27 : tensor<2x16x64xf32>
    %cst_59 = stablehlo.constant dense<9.99999993E-9> : tensor<2x16x64xf32>
    %direction.add_13 = stablehlo.add %direction.sqrt_13, %cst_59 : tensor<2x16x64xf32>
    %direction.divide_13 = stablehlo.divide %direction.multiply_26, %direction.add_13 : tensor<2x16x64xf32>
    %cst_60 = stablehlo.constant dense<1.000000e-01> : tensor<2x16x64xf32>
    %decayed.multiply_4 = stablehlo.multiply %params.blocks.mlp.up.weight, %cst_60 : tensor<2x16x64xf32>
    %decayed.add_4 = stablehlo.add %direction.divide_13, %decayed.multiply_4 : tensor<2x16x64xf32>
    %p.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x16x64xf32>
    %p.multiply_13 = stablehlo.multiply %decayed.add_4, %p.broadcast_in_dim_5 : tensor<2x16x64xf32>
    %p.subtract_13 = stablehlo.subtract %params.blocks.mlp.up.weight, %p.multiply_13 : tensor<2x16x64xf32>
    %g.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x64xf32>
    %g.multiply_14 = stablehlo.multiply %d_h#15, %g.broadcast_in_dim_6 : tensor<2x64xf32>
    %cst_61 = stablehlo.constant dense<0.899999976> : tensor<2x64xf32>
    %mu.multiply_28 = stablehlo.multiply %optimizer.mu.blocks.mlp.up.bias, %cst_61 : tensor<2x64xf32>
    %cst_62 = stablehlo.constant dense<1.000000e-01> : tensor<2x64xf32>
    %mu.multiply_29 = stablehlo.multiply %g.multiply_14, %cst_62 : tensor<2x64xf32>
    %mu.add_14 = stablehlo.add %mu.multiply_28, %mu.multiply_29 : tensor<2x64xf32>
    %cst_63 = stablehlo.constant dense<9.900000e-01> : tensor<2x64xf32>
    %nu.multiply_42 = stablehlo.multiply %optimizer.nu.blocks.mlp.up.bias, %cst_63 : tensor<2x64xf32>
    %nu.multiply_43 = stablehlo.multiply %g.multiply_14, %g.multiply_14 : tensor<2x64xf32>
    %cst_64 = stablehlo.constant dense<0.00999999977> : tensor<2x64xf32>
    %nu.multiply_44 = stablehlo.multiply %nu.multiply_43, %cst_64 : tensor<2x64xf32>
    %nu.add_14 = stablehlo.add %nu.multiply_42, %nu.multiply_44 : tensor<2x64xf32>
    %direction.broadcast_in_dim_12 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x64xf32>
    %direction.multiply_28 = stablehlo.multiply %mu.add_14, %direction.broadcast_in_dim_12 : tensor<2x64xf32>
    %direction.broadcast_in_dim_13 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x64xf32>
    %direction.multiply_29 = stablehlo.multiply %nu.add_14, %direction.broadcast_in_dim_13 : tensor<2x64xf32>
    %direction.sqrt_14 = stablehlo.sqrt %direction.multiply_29 : tensor<2x64xf32>
    %cst_65 = stablehlo.constant dense<9.99999993E-9> : tensor<2x64xf32>
    %direction.add_14 = stablehlo.add %direction.sqrt_14, %cst_65 : tensor<2x64xf32>
    %direction.divide_14 = stablehlo.divide %direction.multiply_28, %direction.add_14 : tensor<2x64xf32>
    %p.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x64xf32>
    %p.multiply_14 = stablehlo.multiply %direction.divide_14, %p.broadcast_in_dim_6 : tensor<2x64xf32>
    %p.subtract_14 = stablehlo.subtract %params.blocks.mlp.up.bias, %p.multiply_14 : tensor<2x64xf32>
    %g.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<2x64x16xf32>
    %g.multiply_15 = stablehlo.multiply %d_h#16, %g.broadcast_in_dim_7 : tensor<2x64x16xf32>
    %cst_66 = stablehlo.constant dense<0.899999976> : tensor<2x64x16xf32>
    %mu.multiply_30 = stablehlo.multiply %optimizer.mu.blocks.mlp.down.weight, %cst_66 : tensor<2x64x16xf32>
    %cst_67 = stablehlo.constant dense<1.000000e-01> : tensor<2x64x16xf32>
    %mu.multiply_31 = stablehlo.multiply %g.multiply_15, %cst_67 : tensor<2x64x16xf32>
    %mu.add_15 = stablehlo.add %mu.multiply_30, %mu.multiply_31 : tensor<2x64x16xf32>
    %cst_68 = stablehlo.constant dense<9.900000e-01> : tensor<2x64x16xf32>
    %nu.multiply_45 = stablehlo.multiply %optimizer.nu.blocks.mlp.down.weight, %cst_68 : tensor<2x64x16xf32>
    %nu.multiply_46 = stablehlo.multiply %g.multiply_15, %g.multiply_15 : tensor<2x64x16xf32>
    %cst_69 = stablehlo.constant dense<0.00999999977> : tensor<2x64x16xf32>
    %nu.multiply_47 = stablehlo.multiply %nu.multiply_46, %cst_69 : tensor<2x64x16xf32>
    %nu.add_15 = stablehlo.add %nu.multiply_45, %nu.multiply_47 : tensor<2x64x16xf32>
    %direction.broadcast_in_dim_14 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<2x64x16xf32>
    %direction.multiply_30 = stablehlo.multiply %mu.add_15, %direction.broadcast_in_dim_14 : tensor<2x64x16xf32>
    %direction.broadcast_in_dim_15 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<2x64x16xf32>
    %direction.multiply_31 = stablehlo.multiply %nu.add_15, %direction.broadcast_in_dim_15 : tensor<2x64x16xf32>
    %direction.sqrt_15 = stablehlo.sqrt %direction.multiply_31 : tensor<2x64x16xf32>
    %cst_70 = stablehlo.constant dense<9.99999993E-9> : tensor<2x64x16xf32>
    %direction.add_15 = stablehlo.add %direction.sqrt_15, %cst_70 : tensor<2x64x16xf32>
    %direction.divide_15 = stablehlo.divide %direction.multiply_30, %direction.add_15 : tensor<2x64x16xf32>
    %cst_71 = stablehlo.constant dense<1.000000e-01> : tensor<2x64x16xf32>
    %decayed.multiply_5 = stablehlo.multiply %params.blocks.mlp.down.weight, %cst_71 : tensor<2x64x16xf32>
    %decayed.add_5 = stablehlo.add %direction.divide_15, %decayed.multiply_5 : tensor<2x64x16xf32>
    %p.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<2x64x16xf32>
    %p.multiply_15 = stablehlo.multiply %decayed.add_5, %p.broadcast_in_dim_7 : tensor<2x64x16xf32>
    %p.subtract_15 = stablehlo.subtract %params.blocks.mlp.down.weight, %p.multiply_15 : tensor<2x64x16xf32>
    %g.multiply_16 = stablehlo.multiply %d_h#17, %g.broadcast_in_dim_1 : tensor<2x16xf32>
    %mu.multiply_32 = stablehlo.multiply %optimizer.mu.blocks.mlp.down.bias, %cst_33 : tensor<2x16xf32>
    %mu.multiply_33 = stablehlo.multiply %g.multiply_16, %cst_34 : tensor<2x16xf32>
    %mu.add_16 = stablehlo.add %mu.multiply_32, %mu.multiply_33 : tensor<2x16xf32>
    %nu.multiply_48 = stablehlo.multiply %optimizer.nu.blocks.mlp.down.bias, %cst_35 : tensor<2x16xf32>
    %nu.multiply_49 = stablehlo.multiply %g.multiply_16, %g.multiply_16 : tensor<2x16xf32>
    %nu.multiply_50 = stablehlo.multiply %nu.multiply_49, %cst_36 : tensor<2x16xf32>
    %nu.add_16 = stablehlo.add %nu.multiply_48, %nu.multiply_50 : tensor<2x16xf32>
    %direction.multiply_32 = stablehlo.multiply %mu.add_16, %direction.broadcast_in_dim_2 : tensor<2x16xf32>
    %direction.multiply_33 = stablehlo.multiply %nu.add_16, %direction.broadcast_in_dim_3 : tensor<2x16xf32>
    %direction.sqrt_16 = stablehlo.sqrt %direction.multiply_33 : tensor<2x16xf32>
    %direction.add_16 = stablehlo.add %direction.sqrt_16, %cst_37 : tensor<2x16xf32>
    %direction.divide_16 = stablehlo.divide %direction.multiply_32, %direction.add_16 : tensor<2x16xf32>
    %p.multiply_16 = stablehlo.multiply %direction.divide_16, %p.broadcast_in_dim_1 : tensor<2x16xf32>
    %p.subtract_16 = stablehlo.subtract %params.blocks.mlp.down.bias, %p.multiply_16 : tensor<2x16xf32>
    %g.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<16xf32>
    %g.multiply_17 = stablehlo.multiply %d_reduce_1, %g.broadcast_in_dim_8 : tensor<16xf32>
    %cst_72 = stablehlo.constant dense<0.899999976> : tensor<16xf32>
    %mu.multiply_34 = stablehlo.multiply %optimizer.mu.norm.scale, %cst_72 : tensor<16xf32>
    %cst_73 = stablehlo.constant dense<1.000000e-01> : tensor<16xf32>
    %mu.multiply_35 = stablehlo.multiply %g.multiply_17, %cst_73 : tensor<16xf32>
    %mu.add_17 = stablehlo.add %mu.multiply_34, %mu.multiply_35 : tensor<16xf32>
    %cst_74 = stablehlo.constant dense<9.900000e-01> : tensor<16xf32>
    %nu.multiply_51 = stablehlo.multiply %optimizer.nu.norm.scale, %cst_74 : tensor<16xf32>
    %nu.multiply_52 = stablehlo.multiply %g.multiply_17, %g.multiply_17 : tensor<16xf32>
    %cst_75 = stablehlo.constant dense<0.00999999977> : tensor<16xf32>
    %nu.multiply_53 = stablehlo.multiply %nu.multiply_52, %cst_75 : tensor<16xf32>
    %nu.add_17 = stablehlo.add %nu.multiply_51, %nu.multiply_53 : tensor<16xf32>
    %direction.broadcast_in_dim_16 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<16xf32>
    %direction.multiply_34 = stablehlo.multiply %mu.add_17, %direction.broadcast_in_dim_16 : tensor<16xf32>
    %direction.broadcast_in_dim_17 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<16xf32>
    %direction.multiply_35 = stablehlo.multiply %nu.add_17, %direction.broadcast_in_dim_17 : tensor<16xf32>
    %direction.sqrt_17 = stablehlo.sqrt %direction.multiply_35 : tensor<16xf32>
    %cst_76 = stablehlo.constant dense<9.99999993E-9> : tensor<16xf32>
    %direction.add_17 = stablehlo.add %direction.sqrt_17, %cst_76 : tensor<16xf32>
    %direction.divide_17 = stablehlo.divide %direction.multiply_34, %direction.add_17 : tensor<16xf32>
    %p.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<16xf32>
    %p.multiply_17 = stablehlo.multiply %direction.divide_17, %p.broadcast_in_dim_8 : tensor<16xf32>
    %p.subtract_17 = stablehlo.subtract %params.norm.scale, %p.multiply_17 : tensor<16xf32>
    %g.multiply_18 = stablehlo.multiply %d_reduce, %g.broadcast_in_dim_8 : tensor<16xf32>
    %mu.multiply_36 = stablehlo.multiply %optimizer.mu.norm.bias, %cst_72 : tensor<16xf32>
    %mu.multiply_37 = stablehlo.multiply %g.multiply_18, %cst_73 : tensor<16xf32>
    %mu.add_18 = stablehlo.add %mu.multiply_36, %mu.multiply_37 : tensor<16xf32>
    %nu.multiply_54 = stablehlo.multiply %optimizer.nu.norm.bias, %cst_74 : tensor<16xf32>
    %nu.multiply_55 = stablehlo.multiply %g.multiply_18, %g.multiply_18 : tensor<16xf32>
    %nu.multiply_56 = stablehlo.multiply %nu.multiply_55, %cst_75 : tensor<16xf32>
    %nu.add_18 = stablehlo.add %nu.multiply_54, %nu.multiply_56 : tensor<16xf32>
    %direction.multiply_36 = stablehlo.multiply %mu.add_18, %direction.broadcast_in_dim_16 : tensor<16xf32>
    %direction.multiply_37 = stablehlo.multiply %nu.add_18, %direction.broadcast_in_dim_17 : tensor<16xf32>
    %direction.sqrt_18 = stablehlo.sqrt %direction.multiply_37 : tensor<16xf32>
    %direction.add_18 = stablehlo.add %direction.sqrt_18, %cst_76 : tensor<16xf32>
    %direction.divide_18 = stablehlo.divide %direction.multiply_36, %direction.add_18 : tensor<16xf32>
    %p.multiply_18 = stablehlo.multiply %direction.divide_18, %p.broadcast_in_dim_8 : tensor<16xf32>
    %p.subtract_18 = stablehlo.subtract %params.norm.bias, %p.multiply_18 : tensor<16xf32>
    %g.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<16x256xf32>
    %g.multiply_19 = stablehlo.multiply %d_own, %g.broadcast_in_dim_9 : tensor<16x256xf32>
    %cst_77 = stablehlo.constant dense<0.899999976> : tensor<16x256xf32>
    %mu.multiply_38 = stablehlo.multiply %optimizer.mu.head.weight, %cst_77 : tensor<16x256xf32>
    %cst_78 = stablehlo.constant dense<1.000000e-01> : tensor<16x256xf32>
    %mu.multiply_39 = stablehlo.multiply %g.multiply_19, %cst_78 : tensor<16x256xf32>
    %mu.add_19 = stablehlo.add %mu.multiply_38, %mu.multiply_39 : tensor<16x256xf32>
    %cst_79 = stablehlo.constant dense<9.900000e-01> : tensor<16x256xf32>
    %nu.multiply_57 = stablehlo.multiply %optimizer.nu.head.weight, %cst_79 : tensor<16x256xf32>
    %nu.multiply_58 = stablehlo.multiply %g.multiply_19, %g.multiply_19 : tensor<16x256xf32>
    %cst_80 = stablehlo.constant dense<0.00999999977> : tensor<16x256xf32>
    %nu.multiply_59 = stablehlo.multiply %nu.multiply_58, %cst_80 : tensor<16x256xf32>
    %nu.add_19 = stablehlo.add %nu.multiply_57, %nu.multiply_59 : tensor<16x256xf32>
    %direction.broadcast_in_dim_18 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<16x256xf32>
    %direction.multiply_38 = stablehlo.multiply %mu.add_19, %direction.broadcast_in_dim_18 : tensor<16x256xf32>
    %direction.broadcast_in_dim_19 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<16x256xf32>
    %direction.multiply_39 = stablehlo.multiply %nu.add_19, %direction.broadcast_in_dim_19 : tensor<16x256xf32>
    %direction.sqrt_19 = stablehlo.sqrt %direction.multiply_39 : tensor<16x256xf32>
    %cst_81 = stablehlo.constant dense<9.99999993E-9> : tensor<16x256xf32>
    %direction.add_19 = stablehlo.add %direction.sqrt_19, %cst_81 : tensor<16x256xf32>
    %direction.divide_19 = stablehlo.divide %direction.multiply_38, %direction.add_19 : tensor<16x256xf32>
    %cst_82 = stablehlo.constant dense<1.000000e-01> : tensor<16x256xf32>
    %decayed.multiply_6 = stablehlo.multiply %params.head.weight, %cst_82 : tensor<16x256xf32>
    %decayed = stablehlo.add %direction.divide_19, %decayed.multiply_6 : tensor<16x256xf32>
    %p.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<16x256xf32>
    %p.multiply_19 = stablehlo.multiply %decayed, %p.broadcast_in_dim_9 : tensor<16x256xf32>
    %p.subtract_19 = stablehlo.subtract %params.head.weight, %p.multiply_19 : tensor<16x256xf32>
    %g.broadcast_in_dim_10 = stablehlo.broadcast_in_dim %scale, dims = [] : (tensor<f32>) -> tensor<256xf32>
    %g = stablehlo.multiply %d_sum_1, %g.broadcast_in_dim_10 : tensor<256xf32>
    %cst_83 = stablehlo.constant dense<0.899999976> : tensor<256xf32>
    %mu.multiply_40 = stablehlo.multiply %optimizer.mu.head.bias, %cst_83 : tensor<256xf32>
    %cst_84 = stablehlo.constant dense<1.000000e-01> : tensor<256xf32>
    %mu.multiply_41 = stablehlo.multiply %g, %cst_84 : tensor<256xf32>
    %mu = stablehlo.add %mu.multiply_40, %mu.multiply_41 : tensor<256xf32>
    %cst_85 = stablehlo.constant dense<9.900000e-01> : tensor<256xf32>
    %nu.multiply_60 = stablehlo.multiply %optimizer.nu.head.bias, %cst_85 : tensor<256xf32>
    %nu.multiply_61 = stablehlo.multiply %g, %g : tensor<256xf32>
    %cst_86 = stablehlo.constant dense<0.00999999977> : tensor<256xf32>
    %nu.multiply_62 = stablehlo.multiply %nu.multiply_61, %cst_86 : tensor<256xf32>
    %nu = stablehlo.add %nu.multiply_60, %nu.multiply_62 : tensor<256xf32>
    %direction.broadcast_in_dim_20 = stablehlo.broadcast_in_dim %correction1, dims = [] : (tensor<f32>) -> tensor<256xf32>
    %direction.multiply_40 = stablehlo.multiply %mu, %direction.broadcast_in_dim_20 : tensor<256xf32>
    %direction.broadcast_in_dim_21 = stablehlo.broadcast_in_dim %correction2, dims = [] : (tensor<f32>) -> tensor<256xf32>
    %direction.multiply_41 = stablehlo.multiply %nu, %direction.broadcast_in_dim_21 : tensor<256xf32>
    %direction.sqrt_20 = stablehlo.sqrt %direction.multiply_41 : tensor<256xf32>
    %cst_87 = stablehlo.constant dense<9.99999993E-9> : tensor<256xf32>
    %direction.add_20 = stablehlo.add %direction.sqrt_20, %cst_87 : tensor<256xf32>
    %direction = stablehlo.divide %direction.multiply_40, %direction.add_20 : tensor<256xf32>
    %p.broadcast_in_dim_10 = stablehlo.broadcast_in_dim %rate, dims = [] : (tensor<f32>) -> tensor<256xf32>
    %p.multiply_20 = stablehlo.multiply %direction, %p.broadcast_in_dim_10 : tensor<256xf32>
    %p = stablehlo.subtract %params.head.bias, %p.multiply_20 : tensor<256xf32>
    return %p.subtract, %p.subtract_1, %p.subtract_2, %p.subtract_3, %p.subtract_4, %p.subtract_5, %p.subtract_6, %p.subtract_7, %p.subtract_8, %p.subtract_9, %p.subtract_10, %p.subtract_11, %p.subtract_12, %p.subtract_13, %p.subtract_14, %p.subtract_15, %p.subtract_16, %p.subtract_17, %p.subtract_18, %p.subtract_19, %p, %mu.add, %mu.add_1, %mu.add_2, %mu.add_3, %mu.add_4, %mu.add_5, %mu.add_6, %mu.add_7, %mu.add_8, %mu.add_9, %mu.add_10, %mu.add_11, %mu.add_12, %mu.add_13, %mu.add_14, %mu.add_15, %mu.add_16, %mu.add_17, %mu.add_18, %mu.add_19, %mu, %nu.add, %nu.add_1, %nu.add_2, %nu.add_3, %nu.add_4, %nu.add_5, %nu.add_6, %nu.add_7, %nu.add_8, %nu.add_9, %nu.add_10, %nu.add_11, %nu.add_12, %nu.add_13, %nu.add_14, %nu.add_15, %nu.add_16, %nu.add_17, %nu.add_18, %nu.add_19, %nu, %step_1, %key, %loss, %gradNorm, %rate, %paramNorm : tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<256x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x16x2x8xf32>, tensor<2x2x8xf32>, tensor<2x2x8x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<2x16x64xf32>, tensor<2x64xf32>, tensor<2x64x16xf32>, tensor<2x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16x256xf32>, tensor<256xf32>, tensor<i32>, tensor<2xui32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
  }
}
