module @decode_step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<256x16xf32>, %params.blocks.attentionNorm.scale: tensor<2x16xf32>, %params.blocks.attentionNorm.bias: tensor<2x16xf32>, %params.blocks.attention.query.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.query.bias: tensor<2x2x8xf32>, %params.blocks.attention.key.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.key.bias: tensor<2x2x8xf32>, %params.blocks.attention.value.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.value.bias: tensor<2x2x8xf32>, %params.blocks.attention.output.weight: tensor<2x2x8x16xf32>, %params.blocks.attention.output.bias: tensor<2x16xf32>, %params.blocks.mlpNorm.scale: tensor<2x16xf32>, %params.blocks.mlpNorm.bias: tensor<2x16xf32>, %params.blocks.mlp.up.weight: tensor<2x16x64xf32>, %params.blocks.mlp.up.bias: tensor<2x64xf32>, %params.blocks.mlp.down.weight: tensor<2x64x16xf32>, %params.blocks.mlp.down.bias: tensor<2x16xf32>, %params.norm.scale: tensor<16xf32>, %params.norm.bias: tensor<16xf32>, %params.head.weight: tensor<16x256xf32>, %params.head.bias: tensor<256xf32>, %blocks.key: tensor<2x1x8x2x8xf32> {tf.aliasing_output = 0 : i32}, %blocks.value: tensor<2x1x8x2x8xf32> {tf.aliasing_output = 1 : i32}, %token: tensor<1xi32>, %position: tensor<1xi32>, %key: tensor<2xui32>, %temperature: tensor<f32>, %top_k: tensor<i32>, %top_p: tensor<f32>) -> (tensor<2x1x8x2x8xf32>, tensor<2x1x8x2x8xf32>, tensor<1xi32>) {
    %broadcast_in_dim = stablehlo.broadcast_in_dim %token, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %broadcast_in_dim_1 = stablehlo.broadcast_in_dim %position, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %embedded.gather = "stablehlo.gather"(%params.tokens.weight, %broadcast_in_dim) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 16>}> : (tensor<256x16xf32>, tensor<1x1xi32>) -> tensor<1x1x16xf32>
    %cst = stablehlo.constant dense<4.000000e+00> : tensor<1x1x16xf32>
    %embedded = stablehlo.multiply %embedded.gather, %cst : tensor<1x1x16xf32>
    %frequencies.iota = stablehlo.iota dim = 0 : tensor<8xf32>
    %cst_1 = stablehlo.constant dense<-1.15129256> : tensor<8xf32>
    %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_1 : tensor<8xf32>
    %frequencies = stablehlo.exponential %frequencies.multiply : tensor<8xf32>
    %phase.convert = stablehlo.convert %broadcast_in_dim_1 : (tensor<1x1xi32>) -> tensor<1x1xf32>
    %run = stablehlo.broadcast_in_dim %phase.convert, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x8xf32>
    %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [2] : (tensor<8xf32>) -> tensor<1x1x8xf32>
    %phase = stablehlo.multiply %run, %phase.broadcast_in_dim : tensor<1x1x8xf32>
    %sine = stablehlo.sine %phase : tensor<1x1x8xf32>
    %cosine = stablehlo.cosine %phase : tensor<1x1x8xf32>
    %x.concatenate = stablehlo.concatenate %sine, %cosine, dim = 2 : (tensor<1x1x8xf32>, tensor<1x1x8xf32>) -> tensor<1x1x16xf32>
    %x = stablehlo.add %embedded, %x.concatenate : tensor<1x1x16xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<2x1x8x2x8xf32>
    %h:4 = stablehlo.while(%iterArg = %c, %iterArg_1 = %x, %iterArg_2 = %cst_2, %iterArg_3 = %cst_2) : tensor<i32>, tensor<1x1x16xf32>, tensor<2x1x8x2x8xf32>, tensor<2x1x8x2x8xf32>
    cond {
      %c_39 = stablehlo.constant dense<2> : tensor<i32>
      %h_1 = stablehlo.compare LT, %iterArg, %c_39, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %h_1 : tensor<i1>
    } do {
      %c_39 = stablehlo.constant dense<0> : tensor<i32>
      %attentionNorm.scale = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.scale_1 = stablehlo.reshape %attentionNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %attentionNorm.bias = stablehlo.dynamic_slice %params.blocks.attentionNorm.bias, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.bias_1 = stablehlo.reshape %attentionNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %attention.query.weight = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %iterArg, %c_39, %c_39, %c_39, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.query.bias = stablehlo.dynamic_slice %params.blocks.attention.query.bias, %iterArg, %c_39, %c_39, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.query.bias_1 = stablehlo.reshape %attention.query.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.key.weight = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %iterArg, %c_39, %c_39, %c_39, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.key.bias = stablehlo.dynamic_slice %params.blocks.attention.key.bias, %iterArg, %c_39, %c_39, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.key.bias_1 = stablehlo.reshape %attention.key.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.value.weight = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %iterArg, %c_39, %c_39, %c_39, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.value.bias = stablehlo.dynamic_slice %params.blocks.attention.value.bias, %iterArg, %c_39, %c_39, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.value.bias_1 = stablehlo.reshape %attention.value.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.output.weight = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %iterArg, %c_39, %c_39, %c_39, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %attention.output.weight_1 = stablehlo.reshape %attention.output.weight : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %attention.output.bias = stablehlo.dynamic_slice %params.blocks.attention.output.bias, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attention.output.bias_1 = stablehlo.reshape %attention.output.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.scale = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.scale_1 = stablehlo.reshape %mlpNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.bias = stablehlo.dynamic_slice %params.blocks.mlpNorm.bias, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.bias_1 = stablehlo.reshape %mlpNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_39, %c_39, sizes = [1, 16, 64] : (tensor<2x16x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x64xf32>
      %mlp.up.weight_1 = stablehlo.reshape %mlp.up.weight : (tensor<1x16x64xf32>) -> tensor<16x64xf32>
      %mlp.up.bias = stablehlo.dynamic_slice %params.blocks.mlp.up.bias, %iterArg, %c_39, sizes = [1, 64] : (tensor<2x64xf32>, tensor<i32>, tensor<i32>) -> tensor<1x64xf32>
      %mlp.up.bias_1 = stablehlo.reshape %mlp.up.bias : (tensor<1x64xf32>) -> tensor<64xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_39, %c_39, sizes = [1, 64, 16] : (tensor<2x64x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x16xf32>
      %mlp.down.weight_1 = stablehlo.reshape %mlp.down.weight : (tensor<1x64x16xf32>) -> tensor<64x16xf32>
      %mlp.down.bias = stablehlo.dynamic_slice %params.blocks.mlp.down.bias, %iterArg, %c_39, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlp.down.bias_1 = stablehlo.reshape %mlp.down.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %cache.key = stablehlo.dynamic_slice %blocks.key, %iterArg, %c_39, %c_39, %c_39, %c_39, sizes = [1, 1, 8, 2, 8] : (tensor<2x1x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x8x2x8xf32>
      %cache.key_1 = stablehlo.reshape %cache.key : (tensor<1x1x8x2x8xf32>) -> tensor<1x8x2x8xf32>
      %cache.value = stablehlo.dynamic_slice %blocks.value, %iterArg, %c_39, %c_39, %c_39, %c_39, sizes = [1, 1, 8, 2, 8] : (tensor<2x1x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x8x2x8xf32>
      %cache.value_1 = stablehlo.reshape %cache.value : (tensor<1x1x8x2x8xf32>) -> tensor<1x8x2x8xf32>
      %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %mean.reduce_1 = stablehlo.reduce(%iterArg_1 init: %cst_13) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
      %cst_14 = stablehlo.constant dense<6.250000e-02> : tensor<1x1xf32>
      %mean.multiply = stablehlo.multiply %mean.reduce_1, %cst_14 : tensor<1x1xf32>
      %centred.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mean.multiply, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
      %centred.subtract = stablehlo.subtract %iterArg_1, %centred.broadcast_in_dim_1 : tensor<1x1x16xf32>
      %rstd.multiply_2 = stablehlo.multiply %centred.subtract, %centred.subtract : tensor<1x1x16xf32>
      %rstd.reduce_1 = stablehlo.reduce(%rstd.multiply_2 init: %cst_13) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
      %rstd.multiply_3 = stablehlo.multiply %rstd.reduce_1, %cst_14 : tensor<1x1xf32>
      %cst_15 = stablehlo.constant dense<9.99999974E-6> : tensor<1x1xf32>
      %rstd.add_1 = stablehlo.add %rstd.multiply_3, %cst_15 : tensor<1x1xf32>
      %rstd.rsqrt = stablehlo.rsqrt %rstd.add_1 : tensor<1x1xf32>
      %broadcast_in_dim_5 = stablehlo.broadcast_in_dim %rstd.rsqrt, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
      %multiply_2 = stablehlo.multiply %centred.subtract, %broadcast_in_dim_5 : tensor<1x1x16xf32>
      %broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attentionNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %multiply_3 = stablehlo.multiply %multiply_2, %broadcast_in_dim_6 : tensor<1x1x16xf32>
      %broadcast_in_dim_7 = stablehlo.broadcast_in_dim %attentionNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %add_1 = stablehlo.add %multiply_3, %broadcast_in_dim_7 : tensor<1x1x16xf32>
      %own.reshape = stablehlo.reshape %add_1 : (tensor<1x1x16xf32>) -> tensor<1x16xf32>
      %own.reshape_1 = stablehlo.reshape %attention.query.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general = stablehlo.dot_general %own.reshape, %own.reshape_1, contracting_dims = [1] x [0] : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
      %own.reshape_2 = stablehlo.reshape %own.dot_general : (tensor<1x16xf32>) -> tensor<1x1x2x8xf32>
      %query.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.query.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x1x2x8xf32>
      %query = stablehlo.add %own.reshape_2, %query.broadcast_in_dim : tensor<1x1x2x8xf32>
      %own.reshape_3 = stablehlo.reshape %attention.key.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_1 = stablehlo.dot_general %own.reshape, %own.reshape_3, contracting_dims = [1] x [0] : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
      %own.reshape_4 = stablehlo.reshape %own.dot_general_1 : (tensor<1x16xf32>) -> tensor<1x1x2x8xf32>
      %key.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %attention.key.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x1x2x8xf32>
      %key_2 = stablehlo.add %own.reshape_4, %key.broadcast_in_dim_2 : tensor<1x1x2x8xf32>
      %own.reshape_5 = stablehlo.reshape %attention.value.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_2 = stablehlo.dot_general %own.reshape, %own.reshape_5, contracting_dims = [1] x [0] : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
      %own.reshape_6 = stablehlo.reshape %own.dot_general_2 : (tensor<1x16xf32>) -> tensor<1x1x2x8xf32>
      %value.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.value.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x1x2x8xf32>
      %value = stablehlo.add %own.reshape_6, %value.broadcast_in_dim : tensor<1x1x2x8xf32>
      %key_3 = "stablehlo.scatter"(%cache.key_1, %broadcast_in_dim_1, %key_2) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2, 3], inserted_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2>, unique_indices = false}> ({
      ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
        stablehlo.return %arg1 : tensor<f32>
      }) : (tensor<1x8x2x8xf32>, tensor<1x1xi32>, tensor<1x1x2x8xf32>) -> tensor<1x8x2x8xf32>
      %value_1 = "stablehlo.scatter"(%cache.value_1, %broadcast_in_dim_1, %value) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2, 3], inserted_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2>, unique_indices = false}> ({
      ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
        stablehlo.return %arg1 : tensor<f32>
      }) : (tensor<1x8x2x8xf32>, tensor<1x1xi32>, tensor<1x1x2x8xf32>) -> tensor<1x8x2x8xf32>
      %cst_16 = stablehlo.constant dense<0.353553385> : tensor<1x1x2x8xf32>
      %scaled_1 = stablehlo.multiply %query, %cst_16 : tensor<1x1x2x8xf32>
      %numbers = stablehlo.iota dim = 0 : tensor<8xi32>
      %before.broadcast_in_dim = stablehlo.broadcast_in_dim %broadcast_in_dim_1, dims = [0, 1] : (tensor<1x1xi32>) -> tensor<1x1x8xi32>
      %before.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %numbers, dims = [2] : (tensor<8xi32>) -> tensor<1x1x8xi32>
      %before_1 = stablehlo.compare GE, %before.broadcast_in_dim, %before.broadcast_in_dim_1, SIGNED : (tensor<1x1x8xi32>, tensor<1x1x8xi32>) -> tensor<1x1x8xi1>
      %s = stablehlo.dot_general %scaled_1, %key_3, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<1x1x2x8xf32>, tensor<1x8x2x8xf32>) -> tensor<1x2x1x8xf32>
      %cst_17 = stablehlo.constant dense<-1.000000e+30> : tensor<1x2x1x8xf32>
      %s.broadcast_in_dim = stablehlo.broadcast_in_dim %before_1, dims = [0, 2, 3] : (tensor<1x1x8xi1>) -> tensor<1x2x1x8xi1>
      %s_1 = stablehlo.select %s.broadcast_in_dim, %s, %cst_17 : tensor<1x2x1x8xi1>, tensor<1x2x1x8xf32>
      %cst_18 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %peak.reduce = stablehlo.reduce(%s_1 init: %cst_18) applies stablehlo.maximum across dimensions = [3] : (tensor<1x2x1x8xf32>, tensor<f32>) -> tensor<1x2x1xf32>
      %cst_19 = stablehlo.constant dense<-1.000000e+29> : tensor<1x2x1xf32>
      %peak = stablehlo.maximum %peak.reduce, %cst_19 : tensor<1x2x1xf32>
      %weights.broadcast_in_dim = stablehlo.broadcast_in_dim %peak, dims = [0, 1, 2] : (tensor<1x2x1xf32>) -> tensor<1x2x1x8xf32>
      %weights.subtract = stablehlo.subtract %s_1, %weights.broadcast_in_dim : tensor<1x2x1x8xf32>
      %weights = stablehlo.exponential %weights.subtract : tensor<1x2x1x8xf32>
      %total = stablehlo.reduce(%weights init: %cst_13) applies stablehlo.add across dimensions = [3] : (tensor<1x2x1x8xf32>, tensor<f32>) -> tensor<1x2x1xf32>
      %cst_20 = stablehlo.constant dense<0.000000e+00> : tensor<1x2x1xf32>
      %divisor.compare = stablehlo.compare EQ, %total, %cst_20, FLOAT : (tensor<1x2x1xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1xi1>
      %cst_21 = stablehlo.constant dense<1.000000e+00> : tensor<1x2x1xf32>
      %divisor = stablehlo.select %divisor.compare, %cst_21, %total : tensor<1x2x1xi1>, tensor<1x2x1xf32>
      %probs.broadcast_in_dim = stablehlo.broadcast_in_dim %divisor, dims = [0, 1, 2] : (tensor<1x2x1xf32>) -> tensor<1x2x1x8xf32>
      %probs = stablehlo.divide %weights, %probs.broadcast_in_dim : tensor<1x2x1x8xf32>
      %dot_general = stablehlo.dot_general %probs, %value_1, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<1x2x1x8xf32>, tensor<1x8x2x8xf32>) -> tensor<1x2x1x8xf32>
      %own.dot_general_3 = stablehlo.dot_general %dot_general, %attention.output.weight_1, contracting_dims = [1, 3] x [0, 1] : (tensor<1x2x1x8xf32>, tensor<2x8x16xf32>) -> tensor<1x1x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %attention.output.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %add_2 = stablehlo.add %own.dot_general_3, %broadcast_in_dim_8 : tensor<1x1x16xf32>
      %h_1 = stablehlo.add %iterArg_1, %add_2 : tensor<1x1x16xf32>
      %mean.reduce_2 = stablehlo.reduce(%h_1 init: %cst_13) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
      %mean_1 = stablehlo.multiply %mean.reduce_2, %cst_14 : tensor<1x1xf32>
      %centred.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %mean_1, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
      %centred_1 = stablehlo.subtract %h_1, %centred.broadcast_in_dim_2 : tensor<1x1x16xf32>
      %rstd.multiply_4 = stablehlo.multiply %centred_1, %centred_1 : tensor<1x1x16xf32>
      %rstd.reduce_2 = stablehlo.reduce(%rstd.multiply_4 init: %cst_13) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
      %rstd.multiply_5 = stablehlo.multiply %rstd.reduce_2, %cst_14 : tensor<1x1xf32>
      %rstd.add_2 = stablehlo.add %rstd.multiply_5, %cst_15 : tensor<1x1xf32>
      %rstd_1 = stablehlo.rsqrt %rstd.add_2 : tensor<1x1xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %rstd_1, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
      %multiply_4 = stablehlo.multiply %centred_1, %broadcast_in_dim_9 : tensor<1x1x16xf32>
      %broadcast_in_dim_10 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %multiply_5 = stablehlo.multiply %multiply_4, %broadcast_in_dim_10 : tensor<1x1x16xf32>
      %broadcast_in_dim_11 = stablehlo.broadcast_in_dim %mlpNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %add_3 = stablehlo.add %multiply_5, %broadcast_in_dim_11 : tensor<1x1x16xf32>
      %own.reshape_7 = stablehlo.reshape %add_3 : (tensor<1x1x16xf32>) -> tensor<1x16xf32>
      %own.dot_general_4 = stablehlo.dot_general %own.reshape_7, %mlp.up.weight_1, contracting_dims = [1] x [0] : (tensor<1x16xf32>, tensor<16x64xf32>) -> tensor<1x64xf32>
      %own.reshape_8 = stablehlo.reshape %own.dot_general_4 : (tensor<1x64xf32>) -> tensor<1x1x64xf32>
      %fed.broadcast_in_dim = stablehlo.broadcast_in_dim %mlp.up.bias_1, dims = [2] : (tensor<64xf32>) -> tensor<1x1x64xf32>
      %fed.add = stablehlo.add %own.reshape_8, %fed.broadcast_in_dim : tensor<1x1x64xf32>
      %fed.multiply = stablehlo.multiply %fed.add, %fed.add : tensor<1x1x64xf32>
      %cst_22 = stablehlo.constant dense<4.471500e-02> : tensor<1x1x64xf32>
      %fed.multiply_1 = stablehlo.multiply %fed.multiply, %cst_22 : tensor<1x1x64xf32>
      %cst_23 = stablehlo.constant dense<1.000000e+00> : tensor<1x1x64xf32>
      %fed.add_1 = stablehlo.add %fed.multiply_1, %cst_23 : tensor<1x1x64xf32>
      %fed.multiply_2 = stablehlo.multiply %fed.add_1, %fed.add : tensor<1x1x64xf32>
      %cst_24 = stablehlo.constant dense<0.797884583> : tensor<1x1x64xf32>
      %fed.multiply_3 = stablehlo.multiply %fed.multiply_2, %cst_24 : tensor<1x1x64xf32>
      %fed.tanh = stablehlo.tanh %fed.multiply_3 : tensor<1x1x64xf32>
      %fed.add_2 = stablehlo.add %fed.tanh, %cst_23 : tensor<1x1x64xf32>
      %fed.multiply_4 = stablehlo.multiply %fed.add, %fed.add_2 : tensor<1x1x64xf32>
      %cst_25 = stablehlo.constant dense<5.000000e-01> : tensor<1x1x64xf32>
      %fed.multiply_5 = stablehlo.multiply %fed.multiply_4, %cst_25 : tensor<1x1x64xf32>
      %own.reshape_9 = stablehlo.reshape %fed.multiply_5 : (tensor<1x1x64xf32>) -> tensor<1x64xf32>
      %own.dot_general_5 = stablehlo.dot_general %own.reshape_9, %mlp.down.weight_1, contracting_dims = [1] x [0] : (tensor<1x64xf32>, tensor<64x16xf32>) -> tensor<1x16xf32>
      %own_1 = stablehlo.reshape %own.dot_general_5 : (tensor<1x16xf32>) -> tensor<1x1x16xf32>
      %fed.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mlp.down.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
      %fed = stablehlo.add %own_1, %fed.broadcast_in_dim_1 : tensor<1x1x16xf32>
      %add_4 = stablehlo.add %h_1, %fed : tensor<1x1x16xf32>
      %h.reshape = stablehlo.reshape %key_3 : (tensor<1x8x2x8xf32>) -> tensor<1x1x8x2x8xf32>
      %h.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_2, %h.reshape, %iterArg, %c_39, %c_39, %c_39, %c_39 : (tensor<2x1x8x2x8xf32>, tensor<1x1x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x8x2x8xf32>
      %h.reshape_1 = stablehlo.reshape %value_1 : (tensor<1x8x2x8xf32>) -> tensor<1x1x8x2x8xf32>
      %h.dynamic_update_slice_1 = stablehlo.dynamic_update_slice %iterArg_3, %h.reshape_1, %iterArg, %c_39, %c_39, %c_39, %c_39 : (tensor<2x1x8x2x8xf32>, tensor<1x1x8x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x8x2x8xf32>
      %c_40 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_40 : tensor<i32>
      stablehlo.return %h_2, %add_4, %h.dynamic_update_slice, %h.dynamic_update_slice_1 : tensor<i32>, tensor<1x1x16xf32>, tensor<2x1x8x2x8xf32>, tensor<2x1x8x2x8xf32>
    }
    %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %mean.reduce = stablehlo.reduce(%h#1 init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_4 = stablehlo.constant dense<6.250000e-02> : tensor<1x1xf32>
    %mean = stablehlo.multiply %mean.reduce, %cst_4 : tensor<1x1xf32>
    %centred.broadcast_in_dim = stablehlo.broadcast_in_dim %mean, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
    %centred = stablehlo.subtract %h#1, %centred.broadcast_in_dim : tensor<1x1x16xf32>
    %rstd.multiply = stablehlo.multiply %centred, %centred : tensor<1x1x16xf32>
    %rstd.reduce = stablehlo.reduce(%rstd.multiply init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<1x1x16xf32>, tensor<f32>) -> tensor<1x1xf32>
    %rstd.multiply_1 = stablehlo.multiply %rstd.reduce, %cst_4 : tensor<1x1xf32>
    %cst_5 = stablehlo.constant dense<9.99999974E-6> : tensor<1x1xf32>
    %rstd.add = stablehlo.add %rstd.multiply_1, %cst_5 : tensor<1x1xf32>
    %rstd = stablehlo.rsqrt %rstd.add : tensor<1x1xf32>
    %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rstd, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x16xf32>
    %multiply = stablehlo.multiply %centred, %broadcast_in_dim_2 : tensor<1x1x16xf32>
    %broadcast_in_dim_3 = stablehlo.broadcast_in_dim %params.norm.scale, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
    %multiply_1 = stablehlo.multiply %multiply, %broadcast_in_dim_3 : tensor<1x1x16xf32>
    %broadcast_in_dim_4 = stablehlo.broadcast_in_dim %params.norm.bias, dims = [2] : (tensor<16xf32>) -> tensor<1x1x16xf32>
    %add = stablehlo.add %multiply_1, %broadcast_in_dim_4 : tensor<1x1x16xf32>
    %logits.reshape = stablehlo.reshape %add : (tensor<1x1x16xf32>) -> tensor<1x16xf32>
    %own = stablehlo.dot_general %logits.reshape, %params.head.weight, contracting_dims = [1] x [0] : (tensor<1x16xf32>, tensor<16x256xf32>) -> tensor<1x256xf32>
    %logits.broadcast_in_dim = stablehlo.broadcast_in_dim %params.head.bias, dims = [1] : (tensor<256xf32>) -> tensor<1x256xf32>
    %logits = stablehlo.add %own, %logits.broadcast_in_dim : tensor<1x256xf32>
    %c_1 = stablehlo.constant dense<-2147483648> : tensor<i32>
    %key.reduce = stablehlo.reduce(%position init: %c_1) applies stablehlo.maximum across dimensions = [0] : (tensor<1xi32>, tensor<i32>) -> tensor<i32>
    %key.convert = stablehlo.convert %key.reduce : (tensor<i32>) -> tensor<ui32>
    %c_2 = stablehlo.constant dense<0> : tensor<ui32>
    %key.multiply = stablehlo.multiply %key.convert, %c_2 : tensor<ui32>
    %key.slice = stablehlo.slice %key [0:1] : (tensor<2xui32>) -> tensor<1xui32>
    %key.reshape = stablehlo.reshape %key.slice : (tensor<1xui32>) -> tensor<ui32>
    %key.slice_1 = stablehlo.slice %key [1:2] : (tensor<2xui32>) -> tensor<1xui32>
    %key.reshape_1 = stablehlo.reshape %key.slice_1 : (tensor<1xui32>) -> tensor<ui32>
    %key.xor = stablehlo.xor %key.reshape, %key.reshape_1 : tensor<ui32>
    %c_3 = stablehlo.constant dense<466688986> : tensor<ui32>
    %key.xor_1 = stablehlo.xor %key.xor, %c_3 : tensor<ui32>
    %key.add = stablehlo.add %key.multiply, %key.reshape : tensor<ui32>
    %key.add_1 = stablehlo.add %key.convert, %key.reshape_1 : tensor<ui32>
    %key.add_2 = stablehlo.add %key.add, %key.add_1 : tensor<ui32>
    %c_4 = stablehlo.constant dense<13> : tensor<ui32>
    %key.shift_left = stablehlo.shift_left %key.add_1, %c_4 : tensor<ui32>
    %c_5 = stablehlo.constant dense<19> : tensor<ui32>
    %key.shift_right_logical = stablehlo.shift_right_logical %key.add_1, %c_5 : tensor<ui32>
    %key.or = stablehlo.or %key.shift_left, %key.shift_right_logical : tensor<ui32>
    %key.xor_2 = stablehlo.xor %key.add_2, %key.or : tensor<ui32>
    %key.add_3 = stablehlo.add %key.add_2, %key.xor_2 : tensor<ui32>
    %c_6 = stablehlo.constant dense<15> : tensor<ui32>
    %key.shift_left_1 = stablehlo.shift_left %key.xor_2, %c_6 : tensor<ui32>
    %c_7 = stablehlo.constant dense<17> : tensor<ui32>
    %key.shift_right_logical_1 = stablehlo.shift_right_logical %key.xor_2, %c_7 : tensor<ui32>
    %key.or_1 = stablehlo.or %key.shift_left_1, %key.shift_right_logical_1 : tensor<ui32>
    %key.xor_3 = stablehlo.xor %key.add_3, %key.or_1 : tensor<ui32>
    %key.add_4 = stablehlo.add %key.add_3, %key.xor_3 : tensor<ui32>
    %c_8 = stablehlo.constant dense<26> : tensor<ui32>
    %key.shift_left_2 = stablehlo.shift_left %key.xor_3, %c_8 : tensor<ui32>
    %c_9 = stablehlo.constant dense<6> : tensor<ui32>
    %key.shift_right_logical_2 = stablehlo.shift_right_logical %key.xor_3, %c_9 : tensor<ui32>
    %key.or_2 = stablehlo.or %key.shift_left_2, %key.shift_right_logical_2 : tensor<ui32>
    %key.xor_4 = stablehlo.xor %key.add_4, %key.or_2 : tensor<ui32>
    %key.add_5 = stablehlo.add %key.add_4, %key.xor_4 : tensor<ui32>
    %key.shift_left_3 = stablehlo.shift_left %key.xor_4, %c_9 : tensor<ui32>
    %key.shift_right_logical_3 = stablehlo.shift_right_logical %key.xor_4, %c_8 : tensor<ui32>
    %key.or_3 = stablehlo.or %key.shift_left_3, %key.shift_right_logical_3 : tensor<ui32>
    %key.xor_5 = stablehlo.xor %key.add_5, %key.or_3 : tensor<ui32>
    %key.add_6 = stablehlo.add %key.add_5, %key.reshape_1 : tensor<ui32>
    %c_10 = stablehlo.constant dense<1> : tensor<ui32>
    %key.add_7 = stablehlo.add %key.xor_1, %c_10 : tensor<ui32>
    %key.add_8 = stablehlo.add %key.xor_5, %key.add_7 : tensor<ui32>
    %key.add_9 = stablehlo.add %key.add_6, %key.add_8 : tensor<ui32>
    %key.shift_left_4 = stablehlo.shift_left %key.add_8, %c_7 : tensor<ui32>
    %key.shift_right_logical_4 = stablehlo.shift_right_logical %key.add_8, %c_6 : tensor<ui32>
    %key.or_4 = stablehlo.or %key.shift_left_4, %key.shift_right_logical_4 : tensor<ui32>
    %key.xor_6 = stablehlo.xor %key.add_9, %key.or_4 : tensor<ui32>
    %key.add_10 = stablehlo.add %key.add_9, %key.xor_6 : tensor<ui32>
    %c_11 = stablehlo.constant dense<29> : tensor<ui32>
    %key.shift_left_5 = stablehlo.shift_left %key.xor_6, %c_11 : tensor<ui32>
    %c_12 = stablehlo.constant dense<3> : tensor<ui32>
    %key.shift_right_logical_5 = stablehlo.shift_right_logical %key.xor_6, %c_12 : tensor<ui32>
    %key.or_5 = stablehlo.or %key.shift_left_5, %key.shift_right_logical_5 : tensor<ui32>
    %key.xor_7 = stablehlo.xor %key.add_10, %key.or_5 : tensor<ui32>
    %key.add_11 = stablehlo.add %key.add_10, %key.xor_7 : tensor<ui32>
    %c_13 = stablehlo.constant dense<16> : tensor<ui32>
    %key.shift_left_6 = stablehlo.shift_left %key.xor_7, %c_13 : tensor<ui32>
    %key.shift_right_logical_6 = stablehlo.shift_right_logical %key.xor_7, %c_13 : tensor<ui32>
    %key.or_6 = stablehlo.or %key.shift_left_6, %key.shift_right_logical_6 : tensor<ui32>
    %key.xor_8 = stablehlo.xor %key.add_11, %key.or_6 : tensor<ui32>
    %key.add_12 = stablehlo.add %key.add_11, %key.xor_8 : tensor<ui32>
    %c_14 = stablehlo.constant dense<24> : tensor<ui32>
    %key.shift_left_7 = stablehlo.shift_left %key.xor_8, %c_14 : tensor<ui32>
    %c_15 = stablehlo.constant dense<8> : tensor<ui32>
    %key.shift_right_logical_7 = stablehlo.shift_right_logical %key.xor_8, %c_15 : tensor<ui32>
    %key.or_7 = stablehlo.or %key.shift_left_7, %key.shift_right_logical_7 : tensor<ui32>
    %key.xor_9 = stablehlo.xor %key.add_12, %key.or_7 : tensor<ui32>
    %key.add_13 = stablehlo.add %key.add_12, %key.xor_1 : tensor<ui32>
    %c_16 = stablehlo.constant dense<2> : tensor<ui32>
    %key.add_14 = stablehlo.add %key.reshape, %c_16 : tensor<ui32>
    %key.add_15 = stablehlo.add %key.xor_9, %key.add_14 : tensor<ui32>
    %key.add_16 = stablehlo.add %key.add_13, %key.add_15 : tensor<ui32>
    %key.shift_left_8 = stablehlo.shift_left %key.add_15, %c_4 : tensor<ui32>
    %key.shift_right_logical_8 = stablehlo.shift_right_logical %key.add_15, %c_5 : tensor<ui32>
    %key.or_8 = stablehlo.or %key.shift_left_8, %key.shift_right_logical_8 : tensor<ui32>
    %key.xor_10 = stablehlo.xor %key.add_16, %key.or_8 : tensor<ui32>
    %key.add_17 = stablehlo.add %key.add_16, %key.xor_10 : tensor<ui32>
    %key.shift_left_9 = stablehlo.shift_left %key.xor_10, %c_6 : tensor<ui32>
    %key.shift_right_logical_9 = stablehlo.shift_right_logical %key.xor_10, %c_7 : tensor<ui32>
    %key.or_9 = stablehlo.or %key.shift_left_9, %key.shift_right_logical_9 : tensor<ui32>
    %key.xor_11 = stablehlo.xor %key.add_17, %key.or_9 : tensor<ui32>
    %key.add_18 = stablehlo.add %key.add_17, %key.xor_11 : tensor<ui32>
    %key.shift_left_10 = stablehlo.shift_left %key.xor_11, %c_8 : tensor<ui32>
    %key.shift_right_logical_10 = stablehlo.shift_right_logical %key.xor_11, %c_9 : tensor<ui32>
    %key.or_10 = stablehlo.or %key.shift_left_10, %key.shift_right_logical_10 : tensor<ui32>
    %key.xor_12 = stablehlo.xor %key.add_18, %key.or_10 : tensor<ui32>
    %key.add_19 = stablehlo.add %key.add_18, %key.xor_12 : tensor<ui32>
    %key.shift_left_11 = stablehlo.shift_left %key.xor_12, %c_9 : tensor<ui32>
    %key.shift_right_logical_11 = stablehlo.shift_right_logical %key.xor_12, %c_8 : tensor<ui32>
    %key.or_11 = stablehlo.or %key.shift_left_11, %key.shift_right_logical_11 : tensor<ui32>
    %key.xor_13 = stablehlo.xor %key.add_19, %key.or_11 : tensor<ui32>
    %key.add_20 = stablehlo.add %key.add_19, %key.reshape : tensor<ui32>
    %key.add_21 = stablehlo.add %key.reshape_1, %c_12 : tensor<ui32>
    %key.add_22 = stablehlo.add %key.xor_13, %key.add_21 : tensor<ui32>
    %key.add_23 = stablehlo.add %key.add_20, %key.add_22 : tensor<ui32>
    %key.shift_left_12 = stablehlo.shift_left %key.add_22, %c_7 : tensor<ui32>
    %key.shift_right_logical_12 = stablehlo.shift_right_logical %key.add_22, %c_6 : tensor<ui32>
    %key.or_12 = stablehlo.or %key.shift_left_12, %key.shift_right_logical_12 : tensor<ui32>
    %key.xor_14 = stablehlo.xor %key.add_23, %key.or_12 : tensor<ui32>
    %key.add_24 = stablehlo.add %key.add_23, %key.xor_14 : tensor<ui32>
    %key.shift_left_13 = stablehlo.shift_left %key.xor_14, %c_11 : tensor<ui32>
    %key.shift_right_logical_13 = stablehlo.shift_right_logical %key.xor_14, %c_12 : tensor<ui32>
    %key.or_13 = stablehlo.or %key.shift_left_13, %key.shift_right_logical_13 : tensor<ui32>
    %key.xor_15 = stablehlo.xor %key.add_24, %key.or_13 : tensor<ui32>
    %key.add_25 = stablehlo.add %key.add_24, %key.xor_15 : tensor<ui32>
    %key.shift_left_14 = stablehlo.shift_left %key.xor_15, %c_13 : tensor<ui32>
    %key.shift_right_logical_14 = stablehlo.shift_right_logical %key.xor_15, %c_13 : tensor<ui32>
    %key.or_14 = stablehlo.or %key.shift_left_14, %key.shift_right_logical_14 : tensor<ui32>
    %key.xor_16 = stablehlo.xor %key.add_25, %key.or_14 : tensor<ui32>
    %key.add_26 = stablehlo.add %key.add_25, %key.xor_16 : tensor<ui32>
    %key.shift_left_15 = stablehlo.shift_left %key.xor_16, %c_14 : tensor<ui32>
    %key.shift_right_logical_15 = stablehlo.shift_right_logical %key.xor_16, %c_15 : tensor<ui32>
    %key.or_15 = stablehlo.or %key.shift_left_15, %key.shift_right_logical_15 : tensor<ui32>
    %key.xor_17 = stablehlo.xor %key.add_26, %key.or_15 : tensor<ui32>
    %key.add_27 = stablehlo.add %key.add_26, %key.reshape_1 : tensor<ui32>
    %c_17 = stablehlo.constant dense<4> : tensor<ui32>
    %key.add_28 = stablehlo.add %key.xor_1, %c_17 : tensor<ui32>
    %key.add_29 = stablehlo.add %key.xor_17, %key.add_28 : tensor<ui32>
    %key.add_30 = stablehlo.add %key.add_27, %key.add_29 : tensor<ui32>
    %key.shift_left_16 = stablehlo.shift_left %key.add_29, %c_4 : tensor<ui32>
    %key.shift_right_logical_16 = stablehlo.shift_right_logical %key.add_29, %c_5 : tensor<ui32>
    %key.or_16 = stablehlo.or %key.shift_left_16, %key.shift_right_logical_16 : tensor<ui32>
    %key.xor_18 = stablehlo.xor %key.add_30, %key.or_16 : tensor<ui32>
    %key.add_31 = stablehlo.add %key.add_30, %key.xor_18 : tensor<ui32>
    %key.shift_left_17 = stablehlo.shift_left %key.xor_18, %c_6 : tensor<ui32>
    %key.shift_right_logical_17 = stablehlo.shift_right_logical %key.xor_18, %c_7 : tensor<ui32>
    %key.or_17 = stablehlo.or %key.shift_left_17, %key.shift_right_logical_17 : tensor<ui32>
    %key.xor_19 = stablehlo.xor %key.add_31, %key.or_17 : tensor<ui32>
    %key.add_32 = stablehlo.add %key.add_31, %key.xor_19 : tensor<ui32>
    %key.shift_left_18 = stablehlo.shift_left %key.xor_19, %c_8 : tensor<ui32>
    %key.shift_right_logical_18 = stablehlo.shift_right_logical %key.xor_19, %c_9 : tensor<ui32>
    %key.or_18 = stablehlo.or %key.shift_left_18, %key.shift_right_logical_18 : tensor<ui32>
    %key.xor_20 = stablehlo.xor %key.add_32, %key.or_18 : tensor<ui32>
    %key.add_33 = stablehlo.add %key.add_32, %key.xor_20 : tensor<ui32>
    %key.shift_left_19 = stablehlo.shift_left %key.xor_20, %c_9 : tensor<ui32>
    %key.shift_right_logical_19 = stablehlo.shift_right_logical %key.xor_20, %c_8 : tensor<ui32>
    %key.or_19 = stablehlo.or %key.shift_left_19, %key.shift_right_logical_19 : tensor<ui32>
    %key.xor_21 = stablehlo.xor %key.add_33, %key.or_19 : tensor<ui32>
    %key.add_34 = stablehlo.add %key.add_33, %key.xor_1 : tensor<ui32>
    %c_18 = stablehlo.constant dense<5> : tensor<ui32>
    %key.add_35 = stablehlo.add %key.reshape, %c_18 : tensor<ui32>
    %key.add_36 = stablehlo.add %key.xor_21, %key.add_35 : tensor<ui32>
    %key.broadcast_in_dim = stablehlo.broadcast_in_dim %key.add_34, dims = [] : (tensor<ui32>) -> tensor<1xui32>
    %key.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %key.add_36, dims = [] : (tensor<ui32>) -> tensor<1xui32>
    %key_1 = stablehlo.concatenate %key.broadcast_in_dim, %key.broadcast_in_dim_1, dim = 0 : (tensor<1xui32>, tensor<1xui32>) -> tensor<2xui32>
    %random = stablehlo.compare GT, %temperature, %cst_3, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %cst_6 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %scaled.select = stablehlo.select %random, %temperature, %cst_6 : tensor<i1>, tensor<f32>
    %scaled.broadcast_in_dim = stablehlo.broadcast_in_dim %scaled.select, dims = [] : (tensor<f32>) -> tensor<1x256xf32>
    %scaled = stablehlo.divide %logits, %scaled.broadcast_in_dim : tensor<1x256xf32>
    %tokens = stablehlo.iota dim = 0 : tensor<256xi32>
    %sorted.broadcast_in_dim = stablehlo.broadcast_in_dim %tokens, dims = [1] : (tensor<256xi32>) -> tensor<1x256xi32>
    %sorted:2 = "stablehlo.sort"(%scaled, %sorted.broadcast_in_dim) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<i32>, %arg3: tensor<i32>):
      %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %cst_14 = stablehlo.constant dense<0x7FC00000> : tensor<f32>
      %sorted.compare = stablehlo.compare NE, %arg0, %arg0, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %sorted.compare_1 = stablehlo.compare EQ, %arg0, %cst_13, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %sorted.select = stablehlo.select %sorted.compare_1, %cst_13, %arg0 : tensor<i1>, tensor<f32>
      %sorted.select_1 = stablehlo.select %sorted.compare, %cst_14, %sorted.select : tensor<i1>, tensor<f32>
      %sorted.compare_2 = stablehlo.compare NE, %arg1, %arg1, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %sorted.compare_3 = stablehlo.compare EQ, %arg1, %cst_13, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
      %sorted.select_2 = stablehlo.select %sorted.compare_3, %cst_13, %arg1 : tensor<i1>, tensor<f32>
      %sorted.select_3 = stablehlo.select %sorted.compare_2, %cst_14, %sorted.select_2 : tensor<i1>, tensor<f32>
      %sorted_1 = stablehlo.compare GT, %sorted.select_1, %sorted.select_3, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %sorted_1 : tensor<i1>
    }) : (tensor<1x256xf32>, tensor<1x256xi32>) -> (tensor<1x256xf32>, tensor<1x256xi32>)
    %cst_7 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %probabilities.reduce = stablehlo.reduce(%sorted#0 init: %cst_7) applies stablehlo.maximum across dimensions = [1] : (tensor<1x256xf32>, tensor<f32>) -> tensor<1xf32>
    %probabilities.is_finite = stablehlo.is_finite %probabilities.reduce : (tensor<1xf32>) -> tensor<1xi1>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<1xf32>
    %probabilities.select = stablehlo.select %probabilities.is_finite, %probabilities.reduce, %cst_8 : tensor<1xi1>, tensor<1xf32>
    %probabilities.broadcast_in_dim = stablehlo.broadcast_in_dim %probabilities.select, dims = [0] : (tensor<1xf32>) -> tensor<1x256xf32>
    %probabilities.subtract = stablehlo.subtract %sorted#0, %probabilities.broadcast_in_dim : tensor<1x256xf32>
    %probabilities.exponential = stablehlo.exponential %probabilities.subtract : tensor<1x256xf32>
    %probabilities.reduce_1 = stablehlo.reduce(%probabilities.exponential init: %cst_3) applies stablehlo.add across dimensions = [1] : (tensor<1x256xf32>, tensor<f32>) -> tensor<1xf32>
    %probabilities.compare = stablehlo.compare EQ, %probabilities.reduce_1, %cst_8, FLOAT : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
    %cst_9 = stablehlo.constant dense<1.000000e+00> : tensor<1xf32>
    %probabilities.select_1 = stablehlo.select %probabilities.compare, %cst_9, %probabilities.reduce_1 : tensor<1xi1>, tensor<1xf32>
    %probabilities.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %probabilities.select_1, dims = [0] : (tensor<1xf32>) -> tensor<1x256xf32>
    %probabilities = stablehlo.divide %probabilities.exponential, %probabilities.broadcast_in_dim_1 : tensor<1x256xf32>
    %before.slice = stablehlo.slice %probabilities [0:1, 0:255] : (tensor<1x256xf32>) -> tensor<1x255xf32>
    %before.pad = stablehlo.pad %before.slice, %cst_3, low = [0, 1], high = [0, 0], interior = [0, 0] : (tensor<1x255xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add = stablehlo.add %probabilities, %before.pad : tensor<1x256xf32>
    %before.slice_1 = stablehlo.slice %before.add [0:1, 0:254] : (tensor<1x256xf32>) -> tensor<1x254xf32>
    %before.pad_1 = stablehlo.pad %before.slice_1, %cst_3, low = [0, 2], high = [0, 0], interior = [0, 0] : (tensor<1x254xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_1 = stablehlo.add %before.add, %before.pad_1 : tensor<1x256xf32>
    %before.slice_2 = stablehlo.slice %before.add_1 [0:1, 0:252] : (tensor<1x256xf32>) -> tensor<1x252xf32>
    %before.pad_2 = stablehlo.pad %before.slice_2, %cst_3, low = [0, 4], high = [0, 0], interior = [0, 0] : (tensor<1x252xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_2 = stablehlo.add %before.add_1, %before.pad_2 : tensor<1x256xf32>
    %before.slice_3 = stablehlo.slice %before.add_2 [0:1, 0:248] : (tensor<1x256xf32>) -> tensor<1x248xf32>
    %before.pad_3 = stablehlo.pad %before.slice_3, %cst_3, low = [0, 8], high = [0, 0], interior = [0, 0] : (tensor<1x248xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_3 = stablehlo.add %before.add_2, %before.pad_3 : tensor<1x256xf32>
    %before.slice_4 = stablehlo.slice %before.add_3 [0:1, 0:240] : (tensor<1x256xf32>) -> tensor<1x240xf32>
    %before.pad_4 = stablehlo.pad %before.slice_4, %cst_3, low = [0, 16], high = [0, 0], interior = [0, 0] : (tensor<1x240xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_4 = stablehlo.add %before.add_3, %before.pad_4 : tensor<1x256xf32>
    %before.slice_5 = stablehlo.slice %before.add_4 [0:1, 0:224] : (tensor<1x256xf32>) -> tensor<1x224xf32>
    %before.pad_5 = stablehlo.pad %before.slice_5, %cst_3, low = [0, 32], high = [0, 0], interior = [0, 0] : (tensor<1x224xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_5 = stablehlo.add %before.add_4, %before.pad_5 : tensor<1x256xf32>
    %before.slice_6 = stablehlo.slice %before.add_5 [0:1, 0:192] : (tensor<1x256xf32>) -> tensor<1x192xf32>
    %before.pad_6 = stablehlo.pad %before.slice_6, %cst_3, low = [0, 64], high = [0, 0], interior = [0, 0] : (tensor<1x192xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_6 = stablehlo.add %before.add_5, %before.pad_6 : tensor<1x256xf32>
    %before.slice_7 = stablehlo.slice %before.add_6 [0:1, 0:128] : (tensor<1x256xf32>) -> tensor<1x128xf32>
    %before.pad_7 = stablehlo.pad %before.slice_7, %cst_3, low = [0, 128], high = [0, 0], interior = [0, 0] : (tensor<1x128xf32>, tensor<f32>) -> tensor<1x256xf32>
    %before.add_7 = stablehlo.add %before.add_6, %before.pad_7 : tensor<1x256xf32>
    %before = stablehlo.subtract %before.add_7, %probabilities : tensor<1x256xf32>
    %amongK.compare = stablehlo.compare GT, %top_k, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_19 = stablehlo.constant dense<256> : tensor<i32>
    %amongK.select = stablehlo.select %amongK.compare, %top_k, %c_19 : tensor<i1>, tensor<i32>
    %amongK.broadcast_in_dim = stablehlo.broadcast_in_dim %amongK.select, dims = [] : (tensor<i32>) -> tensor<256xi32>
    %amongK = stablehlo.compare LT, %tokens, %amongK.broadcast_in_dim, SIGNED : (tensor<256xi32>, tensor<256xi32>) -> tensor<256xi1>
    %kept.broadcast_in_dim = stablehlo.broadcast_in_dim %top_p, dims = [] : (tensor<f32>) -> tensor<1x256xf32>
    %kept.compare = stablehlo.compare LT, %before, %kept.broadcast_in_dim, FLOAT : (tensor<1x256xf32>, tensor<1x256xf32>) -> tensor<1x256xi1>
    %c_20 = stablehlo.constant dense<0> : tensor<256xi32>
    %kept.compare_1 = stablehlo.compare EQ, %tokens, %c_20, SIGNED : (tensor<256xi32>, tensor<256xi32>) -> tensor<256xi1>
    %kept.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %kept.compare_1, dims = [1] : (tensor<256xi1>) -> tensor<1x256xi1>
    %kept.or = stablehlo.or %kept.compare, %kept.broadcast_in_dim_1 : tensor<1x256xi1>
    %kept.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %amongK, dims = [1] : (tensor<256xi1>) -> tensor<1x256xi1>
    %kept = stablehlo.and %kept.or, %kept.broadcast_in_dim_2 : tensor<1x256xi1>
    %cst_10 = stablehlo.constant dense<-1.000000e+30> : tensor<1x256xf32>
    %rank.select = stablehlo.select %kept, %sorted#0, %cst_10 : tensor<1x256xi1>, tensor<1x256xf32>
    %cst_11 = stablehlo.constant dense<1.17549435E-38> : tensor<f32>
    %rank.iota = stablehlo.iota dim = 1 : tensor<1x256xui32>
    %c_21 = stablehlo.constant dense<1> : tensor<1x256xui32>
    %rank.multiply = stablehlo.multiply %rank.iota, %c_21 : tensor<1x256xui32>
    %rank.iota_1 = stablehlo.iota dim = 0 : tensor<1x256xui32>
    %c_22 = stablehlo.constant dense<256> : tensor<1x256xui32>
    %rank.multiply_1 = stablehlo.multiply %rank.iota_1, %c_22 : tensor<1x256xui32>
    %rank.add = stablehlo.add %rank.multiply, %rank.multiply_1 : tensor<1x256xui32>
    %c_23 = stablehlo.constant dense<0> : tensor<1x256xui32>
    %rank.slice = stablehlo.slice %key_1 [0:1] : (tensor<2xui32>) -> tensor<1xui32>
    %rank.reshape = stablehlo.reshape %rank.slice : (tensor<1xui32>) -> tensor<ui32>
    %rank.slice_1 = stablehlo.slice %key_1 [1:2] : (tensor<2xui32>) -> tensor<1xui32>
    %rank.reshape_1 = stablehlo.reshape %rank.slice_1 : (tensor<1xui32>) -> tensor<ui32>
    %rank.xor = stablehlo.xor %rank.reshape, %rank.reshape_1 : tensor<ui32>
    %rank.xor_1 = stablehlo.xor %rank.xor, %c_3 : tensor<ui32>
    %rank.broadcast_in_dim = stablehlo.broadcast_in_dim %rank.reshape, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_1 = stablehlo.add %c_23, %rank.broadcast_in_dim : tensor<1x256xui32>
    %rank.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %rank.reshape_1, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_2 = stablehlo.add %rank.add, %rank.broadcast_in_dim_1 : tensor<1x256xui32>
    %rank.add_3 = stablehlo.add %rank.add_1, %rank.add_2 : tensor<1x256xui32>
    %c_24 = stablehlo.constant dense<13> : tensor<1x256xui32>
    %rank.shift_left = stablehlo.shift_left %rank.add_2, %c_24 : tensor<1x256xui32>
    %c_25 = stablehlo.constant dense<19> : tensor<1x256xui32>
    %rank.shift_right_logical = stablehlo.shift_right_logical %rank.add_2, %c_25 : tensor<1x256xui32>
    %rank.or = stablehlo.or %rank.shift_left, %rank.shift_right_logical : tensor<1x256xui32>
    %rank.xor_2 = stablehlo.xor %rank.add_3, %rank.or : tensor<1x256xui32>
    %rank.add_4 = stablehlo.add %rank.add_3, %rank.xor_2 : tensor<1x256xui32>
    %c_26 = stablehlo.constant dense<15> : tensor<1x256xui32>
    %rank.shift_left_1 = stablehlo.shift_left %rank.xor_2, %c_26 : tensor<1x256xui32>
    %c_27 = stablehlo.constant dense<17> : tensor<1x256xui32>
    %rank.shift_right_logical_1 = stablehlo.shift_right_logical %rank.xor_2, %c_27 : tensor<1x256xui32>
    %rank.or_1 = stablehlo.or %rank.shift_left_1, %rank.shift_right_logical_1 : tensor<1x256xui32>
    %rank.xor_3 = stablehlo.xor %rank.add_4, %rank.or_1 : tensor<1x256xui32>
    %rank.add_5 = stablehlo.add %rank.add_4, %rank.xor_3 : tensor<1x256xui32>
    %c_28 = stablehlo.constant dense<26> : tensor<1x256xui32>
    %rank.shift_left_2 = stablehlo.shift_left %rank.xor_3, %c_28 : tensor<1x256xui32>
    %c_29 = stablehlo.constant dense<6> : tensor<1x256xui32>
    %rank.shift_right_logical_2 = stablehlo.shift_right_logical %rank.xor_3, %c_29 : tensor<1x256xui32>
    %rank.or_2 = stablehlo.or %rank.shift_left_2, %rank.shift_right_logical_2 : tensor<1x256xui32>
    %rank.xor_4 = stablehlo.xor %rank.add_5, %rank.or_2 : tensor<1x256xui32>
    %rank.add_6 = stablehlo.add %rank.add_5, %rank.xor_4 : tensor<1x256xui32>
    %rank.shift_left_3 = stablehlo.shift_left %rank.xor_4, %c_29 : tensor<1x256xui32>
    %rank.shift_right_logical_3 = stablehlo.shift_right_logical %rank.xor_4, %c_28 : tensor<1x256xui32>
    %rank.or_3 = stablehlo.or %rank.shift_left_3, %rank.shift_right_logical_3 : tensor<1x256xui32>
    %rank.xor_5 = stablehlo.xor %rank.add_6, %rank.or_3 : tensor<1x256xui32>
    %rank.add_7 = stablehlo.add %rank.add_6, %rank.broadcast_in_dim_1 : tensor<1x256xui32>
    %rank.add_8 = stablehlo.add %rank.xor_1, %c_10 : tensor<ui32>
    %rank.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rank.add_8, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_9 = stablehlo.add %rank.xor_5, %rank.broadcast_in_dim_2 : tensor<1x256xui32>
    %rank.add_10 = stablehlo.add %rank.add_7, %rank.add_9 : tensor<1x256xui32>
    %rank.shift_left_4 = stablehlo.shift_left %rank.add_9, %c_27 : tensor<1x256xui32>
    %rank.shift_right_logical_4 = stablehlo.shift_right_logical %rank.add_9, %c_26 : tensor<1x256xui32>
    %rank.or_4 = stablehlo.or %rank.shift_left_4, %rank.shift_right_logical_4 : tensor<1x256xui32>
    %rank.xor_6 = stablehlo.xor %rank.add_10, %rank.or_4 : tensor<1x256xui32>
    %rank.add_11 = stablehlo.add %rank.add_10, %rank.xor_6 : tensor<1x256xui32>
    %c_30 = stablehlo.constant dense<29> : tensor<1x256xui32>
    %rank.shift_left_5 = stablehlo.shift_left %rank.xor_6, %c_30 : tensor<1x256xui32>
    %c_31 = stablehlo.constant dense<3> : tensor<1x256xui32>
    %rank.shift_right_logical_5 = stablehlo.shift_right_logical %rank.xor_6, %c_31 : tensor<1x256xui32>
    %rank.or_5 = stablehlo.or %rank.shift_left_5, %rank.shift_right_logical_5 : tensor<1x256xui32>
    %rank.xor_7 = stablehlo.xor %rank.add_11, %rank.or_5 : tensor<1x256xui32>
    %rank.add_12 = stablehlo.add %rank.add_11, %rank.xor_7 : tensor<1x256xui32>
    %c_32 = stablehlo.constant dense<16> : tensor<1x256xui32>
    %rank.shift_left_6 = stablehlo.shift_left %rank.xor_7, %c_32 : tensor<1x256xui32>
    %rank.shift_right_logical_6 = stablehlo.shift_right_logical %rank.xor_7, %c_32 : tensor<1x256xui32>
    %rank.or_6 = stablehlo.or %rank.shift_left_6, %rank.shift_right_logical_6 : tensor<1x256xui32>
    %rank.xor_8 = stablehlo.xor %rank.add_12, %rank.or_6 : tensor<1x256xui32>
    %rank.add_13 = stablehlo.add %rank.add_12, %rank.xor_8 : tensor<1x256xui32>
    %c_33 = stablehlo.constant dense<24> : tensor<1x256xui32>
    %rank.shift_left_7 = stablehlo.shift_left %rank.xor_8, %c_33 : tensor<1x256xui32>
    %c_34 = stablehlo.constant dense<8> : tensor<1x256xui32>
    %rank.shift_right_logical_7 = stablehlo.shift_right_logical %rank.xor_8, %c_34 : tensor<1x256xui32>
    %rank.or_7 = stablehlo.or %rank.shift_left_7, %rank.shift_right_logical_7 : tensor<1x256xui32>
    %rank.xor_9 = stablehlo.xor %rank.add_13, %rank.or_7 : tensor<1x256xui32>
    %rank.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %rank.xor_1, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_14 = stablehlo.add %rank.add_13, %rank.broadcast_in_dim_3 : tensor<1x256xui32>
    %rank.add_15 = stablehlo.add %rank.reshape, %c_16 : tensor<ui32>
    %rank.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %rank.add_15, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_16 = stablehlo.add %rank.xor_9, %rank.broadcast_in_dim_4 : tensor<1x256xui32>
    %rank.add_17 = stablehlo.add %rank.add_14, %rank.add_16 : tensor<1x256xui32>
    %rank.shift_left_8 = stablehlo.shift_left %rank.add_16, %c_24 : tensor<1x256xui32>
    %rank.shift_right_logical_8 = stablehlo.shift_right_logical %rank.add_16, %c_25 : tensor<1x256xui32>
    %rank.or_8 = stablehlo.or %rank.shift_left_8, %rank.shift_right_logical_8 : tensor<1x256xui32>
    %rank.xor_10 = stablehlo.xor %rank.add_17, %rank.or_8 : tensor<1x256xui32>
    %rank.add_18 = stablehlo.add %rank.add_17, %rank.xor_10 : tensor<1x256xui32>
    %rank.shift_left_9 = stablehlo.shift_left %rank.xor_10, %c_26 : tensor<1x256xui32>
    %rank.shift_right_logical_9 = stablehlo.shift_right_logical %rank.xor_10, %c_27 : tensor<1x256xui32>
    %rank.or_9 = stablehlo.or %rank.shift_left_9, %rank.shift_right_logical_9 : tensor<1x256xui32>
    %rank.xor_11 = stablehlo.xor %rank.add_18, %rank.or_9 : tensor<1x256xui32>
    %rank.add_19 = stablehlo.add %rank.add_18, %rank.xor_11 : tensor<1x256xui32>
    %rank.shift_left_10 = stablehlo.shift_left %rank.xor_11, %c_28 : tensor<1x256xui32>
    %rank.shift_right_logical_10 = stablehlo.shift_right_logical %rank.xor_11, %c_29 : tensor<1x256xui32>
    %rank.or_10 = stablehlo.or %rank.shift_left_10, %rank.shift_right_logical_10 : tensor<1x256xui32>
    %rank.xor_12 = stablehlo.xor %rank.add_19, %rank.or_10 : tensor<1x256xui32>
    %rank.add_20 = stablehlo.add %rank.add_19, %rank.xor_12 : tensor<1x256xui32>
    %rank.shift_left_11 = stablehlo.shift_left %rank.xor_12, %c_29 : tensor<1x256xui32>
    %rank.shift_right_logical_11 = stablehlo.shift_right_logical %rank.xor_12, %c_28 : tensor<1x256xui32>
    %rank.or_11 = stablehlo.or %rank.shift_left_11, %rank.shift_right_logical_11 : tensor<1x256xui32>
    %rank.xor_13 = stablehlo.xor %rank.add_20, %rank.or_11 : tensor<1x256xui32>
    %rank.add_21 = stablehlo.add %rank.add_20, %rank.broadcast_in_dim : tensor<1x256xui32>
    %rank.add_22 = stablehlo.add %rank.reshape_1, %c_12 : tensor<ui32>
    %rank.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %rank.add_22, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_23 = stablehlo.add %rank.xor_13, %rank.broadcast_in_dim_5 : tensor<1x256xui32>
    %rank.add_24 = stablehlo.add %rank.add_21, %rank.add_23 : tensor<1x256xui32>
    %rank.shift_left_12 = stablehlo.shift_left %rank.add_23, %c_27 : tensor<1x256xui32>
    %rank.shift_right_logical_12 = stablehlo.shift_right_logical %rank.add_23, %c_26 : tensor<1x256xui32>
    %rank.or_12 = stablehlo.or %rank.shift_left_12, %rank.shift_right_logical_12 : tensor<1x256xui32>
    %rank.xor_14 = stablehlo.xor %rank.add_24, %rank.or_12 : tensor<1x256xui32>
    %rank.add_25 = stablehlo.add %rank.add_24, %rank.xor_14 : tensor<1x256xui32>
    %rank.shift_left_13 = stablehlo.shift_left %rank.xor_14, %c_30 : tensor<1x256xui32>
    %rank.shift_right_logical_13 = stablehlo.shift_right_logical %rank.xor_14, %c_31 : tensor<1x256xui32>
    %rank.or_13 = stablehlo.or %rank.shift_left_13, %rank.shift_right_logical_13 : tensor<1x256xui32>
    %rank.xor_15 = stablehlo.xor %rank.add_25, %rank.or_13 : tensor<1x256xui32>
    %rank.add_26 = stablehlo.add %rank.add_25, %rank.xor_15 : tensor<1x256xui32>
    %rank.shift_left_14 = stablehlo.shift_left %rank.xor_15, %c_32 : tensor<1x256xui32>
    %rank.shift_right_logical_14 = stablehlo.shift_right_logical %rank.xor_15, %c_32 : tensor<1x256xui32>
    %rank.or_14 = stablehlo.or %rank.shift_left_14, %rank.shift_right_logical_14 : tensor<1x256xui32>
    %rank.xor_16 = stablehlo.xor %rank.add_26, %rank.or_14 : tensor<1x256xui32>
    %rank.add_27 = stablehlo.add %rank.add_26, %rank.xor_16 : tensor<1x256xui32>
    %rank.shift_left_15 = stablehlo.shift_left %rank.xor_16, %c_33 : tensor<1x256xui32>
    %rank.shift_right_logical_15 = stablehlo.shift_right_logical %rank.xor_16, %c_34 : tensor<1x256xui32>
    %rank.or_15 = stablehlo.or %rank.shift_left_15, %rank.shift_right_logical_15 : tensor<1x256xui32>
    %rank.xor_17 = stablehlo.xor %rank.add_27, %rank.or_15 : tensor<1x256xui32>
    %rank.add_28 = stablehlo.add %rank.add_27, %rank.broadcast_in_dim_1 : tensor<1x256xui32>
    %rank.add_29 = stablehlo.add %rank.xor_1, %c_17 : tensor<ui32>
    %rank.broadcast_in_dim_6 = stablehlo.broadcast_in_dim %rank.add_29, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_30 = stablehlo.add %rank.xor_17, %rank.broadcast_in_dim_6 : tensor<1x256xui32>
    %rank.add_31 = stablehlo.add %rank.add_28, %rank.add_30 : tensor<1x256xui32>
    %rank.shift_left_16 = stablehlo.shift_left %rank.add_30, %c_24 : tensor<1x256xui32>
    %rank.shift_right_logical_16 = stablehlo.shift_right_logical %rank.add_30, %c_25 : tensor<1x256xui32>
    %rank.or_16 = stablehlo.or %rank.shift_left_16, %rank.shift_right_logical_16 : tensor<1x256xui32>
    %rank.xor_18 = stablehlo.xor %rank.add_31, %rank.or_16 : tensor<1x256xui32>
    %rank.add_32 = stablehlo.add %rank.add_31, %rank.xor_18 : tensor<1x256xui32>
    %rank.shift_left_17 = stablehlo.shift_left %rank.xor_18, %c_26 : tensor<1x256xui32>
    %rank.shift_right_logical_17 = stablehlo.shift_right_logical %rank.xor_18, %c_27 : tensor<1x256xui32>
    %rank.or_17 = stablehlo.or %rank.shift_left_17, %rank.shift_right_logical_17 : tensor<1x256xui32>
    %rank.xor_19 = stablehlo.xor %rank.add_32, %rank.or_17 : tensor<1x256xui32>
    %rank.add_33 = stablehlo.add %rank.add_32, %rank.xor_19 : tensor<1x256xui32>
    %rank.shift_left_18 = stablehlo.shift_left %rank.xor_19, %c_28 : tensor<1x256xui32>
    %rank.shift_right_logical_18 = stablehlo.shift_right_logical %rank.xor_19, %c_29 : tensor<1x256xui32>
    %rank.or_18 = stablehlo.or %rank.shift_left_18, %rank.shift_right_logical_18 : tensor<1x256xui32>
    %rank.xor_20 = stablehlo.xor %rank.add_33, %rank.or_18 : tensor<1x256xui32>
    %rank.add_34 = stablehlo.add %rank.add_33, %rank.xor_20 : tensor<1x256xui32>
    %rank.shift_left_19 = stablehlo.shift_left %rank.xor_20, %c_29 : tensor<1x256xui32>
    %rank.shift_right_logical_19 = stablehlo.shift_right_logical %rank.xor_20, %c_28 : tensor<1x256xui32>
    %rank.or_19 = stablehlo.or %rank.shift_left_19, %rank.shift_right_logical_19 : tensor<1x256xui32>
    %rank.xor_21 = stablehlo.xor %rank.add_34, %rank.or_19 : tensor<1x256xui32>
    %rank.add_35 = stablehlo.add %rank.add_34, %rank.broadcast_in_dim_3 : tensor<1x256xui32>
    %rank.add_36 = stablehlo.add %rank.reshape, %c_18 : tensor<ui32>
    %rank.broadcast_in_dim_7 = stablehlo.broadcast_in_dim %rank.add_36, dims = [] : (tensor<ui32>) -> tensor<1x256xui32>
    %rank.add_37 = stablehlo.add %rank.xor_21, %rank.broadcast_in_dim_7 : tensor<1x256xui32>
    %rank.xor_22 = stablehlo.xor %rank.add_35, %rank.add_37 : tensor<1x256xui32>
    %c_35 = stablehlo.constant dense<9> : tensor<1x256xui32>
    %rank.shift_right_logical_20 = stablehlo.shift_right_logical %rank.xor_22, %c_35 : tensor<1x256xui32>
    %c_36 = stablehlo.constant dense<1065353216> : tensor<1x256xui32>
    %rank.or_20 = stablehlo.or %rank.shift_right_logical_20, %c_36 : tensor<1x256xui32>
    %bitcast_convert = stablehlo.bitcast_convert %rank.or_20 : (tensor<1x256xui32>) -> tensor<1x256xf32>
    %cst_12 = stablehlo.constant dense<1.000000e+00> : tensor<1x256xf32>
    %rank.subtract = stablehlo.subtract %bitcast_convert, %cst_12 : tensor<1x256xf32>
    %rank.subtract_1 = stablehlo.subtract %cst_6, %cst_11 : tensor<f32>
    %rank.broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rank.subtract_1, dims = [] : (tensor<f32>) -> tensor<1x256xf32>
    %rank.multiply_2 = stablehlo.multiply %rank.subtract, %rank.broadcast_in_dim_8 : tensor<1x256xf32>
    %rank.broadcast_in_dim_9 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<f32>) -> tensor<1x256xf32>
    %rank.add_38 = stablehlo.add %rank.multiply_2, %rank.broadcast_in_dim_9 : tensor<1x256xf32>
    %rank.maximum = stablehlo.maximum %rank.add_38, %rank.broadcast_in_dim_9 : tensor<1x256xf32>
    %log = stablehlo.log %rank.maximum : tensor<1x256xf32>
    %negate = stablehlo.negate %log : tensor<1x256xf32>
    %log_1 = stablehlo.log %negate : tensor<1x256xf32>
    %negate_1 = stablehlo.negate %log_1 : tensor<1x256xf32>
    %rank.add_39 = stablehlo.add %negate_1, %rank.select : tensor<1x256xf32>
    %rank.reduce = stablehlo.reduce(%rank.add_39 init: %cst_7) applies stablehlo.maximum across dimensions = [1] : (tensor<1x256xf32>, tensor<f32>) -> tensor<1xf32>
    %rank.broadcast_in_dim_10 = stablehlo.broadcast_in_dim %rank.reduce, dims = [0] : (tensor<1xf32>) -> tensor<1x256xf32>
    %rank.compare = stablehlo.compare EQ, %rank.add_39, %rank.broadcast_in_dim_10, FLOAT : (tensor<1x256xf32>, tensor<1x256xf32>) -> tensor<1x256xi1>
    %rank.compare_1 = stablehlo.compare NE, %rank.add_39, %rank.add_39, FLOAT : (tensor<1x256xf32>, tensor<1x256xf32>) -> tensor<1x256xi1>
    %rank.or_21 = stablehlo.or %rank.compare, %rank.compare_1 : tensor<1x256xi1>
    %c_37 = stablehlo.constant dense<256> : tensor<1x256xi32>
    %rank.select_1 = stablehlo.select %rank.or_21, %sorted.broadcast_in_dim, %c_37 : tensor<1x256xi1>, tensor<1x256xi32>
    %c_38 = stablehlo.constant dense<2147483647> : tensor<i32>
    %rank = stablehlo.reduce(%rank.select_1 init: %c_38) applies stablehlo.minimum across dimensions = [1] : (tensor<1x256xi32>, tensor<i32>) -> tensor<1xi32>
    %drawn = "stablehlo.gather"(%sorted#1, %rank) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<1x256xi32>, tensor<1xi32>) -> tensor<1xi32>
    %next_token.reduce = stablehlo.reduce(%logits init: %cst_7) applies stablehlo.maximum across dimensions = [1] : (tensor<1x256xf32>, tensor<f32>) -> tensor<1xf32>
    %next_token.broadcast_in_dim = stablehlo.broadcast_in_dim %next_token.reduce, dims = [0] : (tensor<1xf32>) -> tensor<1x256xf32>
    %next_token.compare = stablehlo.compare EQ, %logits, %next_token.broadcast_in_dim, FLOAT : (tensor<1x256xf32>, tensor<1x256xf32>) -> tensor<1x256xi1>
    %next_token.compare_1 = stablehlo.compare NE, %logits, %logits, FLOAT : (tensor<1x256xf32>, tensor<1x256xf32>) -> tensor<1x256xi1>
    %next_token.or = stablehlo.or %next_token.compare, %next_token.compare_1 : tensor<1x256xi1>
    %next_token.select = stablehlo.select %next_token.or, %sorted.broadcast_in_dim, %c_37 : tensor<1x256xi1>, tensor<1x256xi32>
    %next_token.reduce_1 = stablehlo.reduce(%next_token.select init: %c_38) applies stablehlo.minimum across dimensions = [1] : (tensor<1x256xi32>, tensor<i32>) -> tensor<1xi32>
    %next_token.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %random, dims = [] : (tensor<i1>) -> tensor<1xi1>
    %next_token = stablehlo.select %next_token.broadcast_in_dim_1, %drawn, %next_token.reduce_1 : tensor<1xi1>, tensor<1xi32>
    return %h#2, %h#3, %next_token : tensor<2x1x8x2x8xf32>, tensor<2x1x8x2x8xf32>, tensor<1xi32>
  }
}
