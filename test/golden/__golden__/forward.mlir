module @forward attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<256x16xf32>, %params.blocks.attentionNorm.scale: tensor<2x16xf32>, %params.blocks.attentionNorm.bias: tensor<2x16xf32>, %params.blocks.attention.query.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.query.bias: tensor<2x2x8xf32>, %params.blocks.attention.key.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.key.bias: tensor<2x2x8xf32>, %params.blocks.attention.value.weight: tensor<2x16x2x8xf32>, %params.blocks.attention.value.bias: tensor<2x2x8xf32>, %params.blocks.attention.output.weight: tensor<2x2x8x16xf32>, %params.blocks.attention.output.bias: tensor<2x16xf32>, %params.blocks.mlpNorm.scale: tensor<2x16xf32>, %params.blocks.mlpNorm.bias: tensor<2x16xf32>, %params.blocks.mlp.up.weight: tensor<2x16x64xf32>, %params.blocks.mlp.up.bias: tensor<2x64xf32>, %params.blocks.mlp.down.weight: tensor<2x64x16xf32>, %params.blocks.mlp.down.bias: tensor<2x16xf32>, %params.norm.scale: tensor<16xf32>, %params.norm.bias: tensor<16xf32>, %params.head.weight: tensor<16x256xf32>, %params.head.bias: tensor<256xf32>, %tokens: tensor<1x8xi32>) -> tensor<1x8x256xf32> {
    %at.iota = stablehlo.iota dim = 0 : tensor<8xi32>
    %at = stablehlo.broadcast_in_dim %at.iota, dims = [1] : (tensor<8xi32>) -> tensor<1x8xi32>
    %embedded.gather = "stablehlo.gather"(%params.tokens.weight, %tokens) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 16>}> : (tensor<256x16xf32>, tensor<1x8xi32>) -> tensor<1x8x16xf32>
    %cst = stablehlo.constant dense<4.000000e+00> : tensor<1x8x16xf32>
    %embedded = stablehlo.multiply %embedded.gather, %cst : tensor<1x8x16xf32>
    %frequencies.iota = stablehlo.iota dim = 0 : tensor<8xf32>
    %cst_1 = stablehlo.constant dense<-1.15129256> : tensor<8xf32>
    %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_1 : tensor<8xf32>
    %frequencies = stablehlo.exponential %frequencies.multiply : tensor<8xf32>
    %phase.convert = stablehlo.convert %at : (tensor<1x8xi32>) -> tensor<1x8xf32>
    %logits.broadcast_in_dim = stablehlo.broadcast_in_dim %phase.convert, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x8xf32>
    %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [2] : (tensor<8xf32>) -> tensor<1x8x8xf32>
    %phase = stablehlo.multiply %logits.broadcast_in_dim, %phase.broadcast_in_dim : tensor<1x8x8xf32>
    %sine = stablehlo.sine %phase : tensor<1x8x8xf32>
    %cosine = stablehlo.cosine %phase : tensor<1x8x8xf32>
    %x.concatenate = stablehlo.concatenate %sine, %cosine, dim = 2 : (tensor<1x8x8xf32>, tensor<1x8x8xf32>) -> tensor<1x8x16xf32>
    %x = stablehlo.add %embedded, %x.concatenate : tensor<1x8x16xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %h:2 = stablehlo.while(%iterArg = %c, %iterArg_1 = %x) : tensor<i32>, tensor<1x8x16xf32>
    cond {
      %c_1 = stablehlo.constant dense<2> : tensor<i32>
      %h_1 = stablehlo.compare LT, %iterArg, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %h_1 : tensor<i1>
    } do {
      %c_1 = stablehlo.constant dense<0> : tensor<i32>
      %attentionNorm.scale = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.scale_1 = stablehlo.reshape %attentionNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %attentionNorm.bias = stablehlo.dynamic_slice %params.blocks.attentionNorm.bias, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attentionNorm.bias_1 = stablehlo.reshape %attentionNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %attention.query.weight = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.query.bias = stablehlo.dynamic_slice %params.blocks.attention.query.bias, %iterArg, %c_1, %c_1, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.query.bias_1 = stablehlo.reshape %attention.query.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.key.weight = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.key.bias = stablehlo.dynamic_slice %params.blocks.attention.key.bias, %iterArg, %c_1, %c_1, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.key.bias_1 = stablehlo.reshape %attention.key.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.value.weight = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 16, 2, 8] : (tensor<2x16x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x2x8xf32>
      %attention.value.bias = stablehlo.dynamic_slice %params.blocks.attention.value.bias, %iterArg, %c_1, %c_1, sizes = [1, 2, 8] : (tensor<2x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8xf32>
      %attention.value.bias_1 = stablehlo.reshape %attention.value.bias : (tensor<1x2x8xf32>) -> tensor<2x8xf32>
      %attention.output.weight = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 2, 8, 16] : (tensor<2x2x8x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x8x16xf32>
      %attention.output.weight_1 = stablehlo.reshape %attention.output.weight : (tensor<1x2x8x16xf32>) -> tensor<2x8x16xf32>
      %attention.output.bias = stablehlo.dynamic_slice %params.blocks.attention.output.bias, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %attention.output.bias_1 = stablehlo.reshape %attention.output.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.scale = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.scale_1 = stablehlo.reshape %mlpNorm.scale : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlpNorm.bias = stablehlo.dynamic_slice %params.blocks.mlpNorm.bias, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlpNorm.bias_1 = stablehlo.reshape %mlpNorm.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_1, %c_1, sizes = [1, 16, 64] : (tensor<2x16x64xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x16x64xf32>
      %mlp.up.weight_1 = stablehlo.reshape %mlp.up.weight : (tensor<1x16x64xf32>) -> tensor<16x64xf32>
      %mlp.up.bias = stablehlo.dynamic_slice %params.blocks.mlp.up.bias, %iterArg, %c_1, sizes = [1, 64] : (tensor<2x64xf32>, tensor<i32>, tensor<i32>) -> tensor<1x64xf32>
      %mlp.up.bias_1 = stablehlo.reshape %mlp.up.bias : (tensor<1x64xf32>) -> tensor<64xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_1, %c_1, sizes = [1, 64, 16] : (tensor<2x64x16xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x64x16xf32>
      %mlp.down.weight_1 = stablehlo.reshape %mlp.down.weight : (tensor<1x64x16xf32>) -> tensor<64x16xf32>
      %mlp.down.bias = stablehlo.dynamic_slice %params.blocks.mlp.down.bias, %iterArg, %c_1, sizes = [1, 16] : (tensor<2x16xf32>, tensor<i32>, tensor<i32>) -> tensor<1x16xf32>
      %mlp.down.bias_1 = stablehlo.reshape %mlp.down.bias : (tensor<1x16xf32>) -> tensor<16xf32>
      %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %mean.reduce_1 = stablehlo.reduce(%iterArg_1 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
      %cst_6 = stablehlo.constant dense<6.250000e-02> : tensor<1x8xf32>
      %mean.multiply = stablehlo.multiply %mean.reduce_1, %cst_6 : tensor<1x8xf32>
      %centred.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mean.multiply, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
      %centred.subtract = stablehlo.subtract %iterArg_1, %centred.broadcast_in_dim_1 : tensor<1x8x16xf32>
      %rstd.multiply_2 = stablehlo.multiply %centred.subtract, %centred.subtract : tensor<1x8x16xf32>
      %rstd.reduce_1 = stablehlo.reduce(%rstd.multiply_2 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
      %rstd.multiply_3 = stablehlo.multiply %rstd.reduce_1, %cst_6 : tensor<1x8xf32>
      %cst_7 = stablehlo.constant dense<9.99999974E-6> : tensor<1x8xf32>
      %rstd.add_1 = stablehlo.add %rstd.multiply_3, %cst_7 : tensor<1x8xf32>
      %rstd.rsqrt = stablehlo.rsqrt %rstd.add_1 : tensor<1x8xf32>
      %broadcast_in_dim_3 = stablehlo.broadcast_in_dim %rstd.rsqrt, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
      %multiply_2 = stablehlo.multiply %centred.subtract, %broadcast_in_dim_3 : tensor<1x8x16xf32>
      %broadcast_in_dim_4 = stablehlo.broadcast_in_dim %attentionNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %multiply_3 = stablehlo.multiply %multiply_2, %broadcast_in_dim_4 : tensor<1x8x16xf32>
      %broadcast_in_dim_5 = stablehlo.broadcast_in_dim %attentionNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %add_1 = stablehlo.add %multiply_3, %broadcast_in_dim_5 : tensor<1x8x16xf32>
      %own.reshape_1 = stablehlo.reshape %add_1 : (tensor<1x8x16xf32>) -> tensor<8x16xf32>
      %own.reshape_2 = stablehlo.reshape %attention.query.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_1 = stablehlo.dot_general %own.reshape_1, %own.reshape_2, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
      %own.reshape_3 = stablehlo.reshape %own.dot_general_1 : (tensor<8x16xf32>) -> tensor<1x8x2x8xf32>
      %query.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.query.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x8x2x8xf32>
      %query = stablehlo.add %own.reshape_3, %query.broadcast_in_dim : tensor<1x8x2x8xf32>
      %own.reshape_4 = stablehlo.reshape %attention.key.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_2 = stablehlo.dot_general %own.reshape_1, %own.reshape_4, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
      %own.reshape_5 = stablehlo.reshape %own.dot_general_2 : (tensor<8x16xf32>) -> tensor<1x8x2x8xf32>
      %key.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.key.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x8x2x8xf32>
      %key = stablehlo.add %own.reshape_5, %key.broadcast_in_dim : tensor<1x8x2x8xf32>
      %own.reshape_6 = stablehlo.reshape %attention.value.weight : (tensor<1x16x2x8xf32>) -> tensor<16x16xf32>
      %own.dot_general_3 = stablehlo.dot_general %own.reshape_1, %own.reshape_6, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
      %own.reshape_7 = stablehlo.reshape %own.dot_general_3 : (tensor<8x16xf32>) -> tensor<1x8x2x8xf32>
      %value.broadcast_in_dim = stablehlo.broadcast_in_dim %attention.value.bias_1, dims = [2, 3] : (tensor<2x8xf32>) -> tensor<1x8x2x8xf32>
      %value = stablehlo.add %own.reshape_7, %value.broadcast_in_dim : tensor<1x8x2x8xf32>
      %cst_8 = stablehlo.constant dense<0.353553385> : tensor<1x8x2x8xf32>
      %scaled = stablehlo.multiply %query, %cst_8 : tensor<1x8x2x8xf32>
      %numbers = stablehlo.iota dim = 0 : tensor<8xi32>
      %before.broadcast_in_dim = stablehlo.broadcast_in_dim %numbers, dims = [0] : (tensor<8xi32>) -> tensor<8x8xi32>
      %before.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %numbers, dims = [1] : (tensor<8xi32>) -> tensor<8x8xi32>
      %before = stablehlo.compare GE, %before.broadcast_in_dim, %before.broadcast_in_dim_1, SIGNED : (tensor<8x8xi32>, tensor<8x8xi32>) -> tensor<8x8xi1>
      %s = stablehlo.dot_general %scaled, %key, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [3] : (tensor<1x8x2x8xf32>, tensor<1x8x2x8xf32>) -> tensor<1x2x8x8xf32>
      %cst_9 = stablehlo.constant dense<-1.000000e+30> : tensor<1x2x8x8xf32>
      %s.broadcast_in_dim = stablehlo.broadcast_in_dim %before, dims = [2, 3] : (tensor<8x8xi1>) -> tensor<1x2x8x8xi1>
      %s_1 = stablehlo.select %s.broadcast_in_dim, %s, %cst_9 : tensor<1x2x8x8xi1>, tensor<1x2x8x8xf32>
      %cst_10 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %peak.reduce = stablehlo.reduce(%s_1 init: %cst_10) applies stablehlo.maximum across dimensions = [3] : (tensor<1x2x8x8xf32>, tensor<f32>) -> tensor<1x2x8xf32>
      %cst_11 = stablehlo.constant dense<-1.000000e+29> : tensor<1x2x8xf32>
      %peak = stablehlo.maximum %peak.reduce, %cst_11 : tensor<1x2x8xf32>
      %weights.broadcast_in_dim = stablehlo.broadcast_in_dim %peak, dims = [0, 1, 2] : (tensor<1x2x8xf32>) -> tensor<1x2x8x8xf32>
      %weights.subtract = stablehlo.subtract %s_1, %weights.broadcast_in_dim : tensor<1x2x8x8xf32>
      %weights = stablehlo.exponential %weights.subtract : tensor<1x2x8x8xf32>
      %total = stablehlo.reduce(%weights init: %cst_5) applies stablehlo.add across dimensions = [3] : (tensor<1x2x8x8xf32>, tensor<f32>) -> tensor<1x2x8xf32>
      %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<1x2x8xf32>
      %divisor.compare = stablehlo.compare EQ, %total, %cst_12, FLOAT : (tensor<1x2x8xf32>, tensor<1x2x8xf32>) -> tensor<1x2x8xi1>
      %cst_13 = stablehlo.constant dense<1.000000e+00> : tensor<1x2x8xf32>
      %divisor = stablehlo.select %divisor.compare, %cst_13, %total : tensor<1x2x8xi1>, tensor<1x2x8xf32>
      %probs.broadcast_in_dim = stablehlo.broadcast_in_dim %divisor, dims = [0, 1, 2] : (tensor<1x2x8xf32>) -> tensor<1x2x8x8xf32>
      %probs = stablehlo.divide %weights, %probs.broadcast_in_dim : tensor<1x2x8x8xf32>
      %dot_general = stablehlo.dot_general %probs, %value, batching_dims = [0, 1] x [0, 2], contracting_dims = [3] x [1] : (tensor<1x2x8x8xf32>, tensor<1x8x2x8xf32>) -> tensor<1x2x8x8xf32>
      %own.dot_general_4 = stablehlo.dot_general %dot_general, %attention.output.weight_1, contracting_dims = [1, 3] x [0, 1] : (tensor<1x2x8x8xf32>, tensor<2x8x16xf32>) -> tensor<1x8x16xf32>
      %broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attention.output.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %add_2 = stablehlo.add %own.dot_general_4, %broadcast_in_dim_6 : tensor<1x8x16xf32>
      %h_1 = stablehlo.add %iterArg_1, %add_2 : tensor<1x8x16xf32>
      %mean.reduce_2 = stablehlo.reduce(%h_1 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
      %mean_1 = stablehlo.multiply %mean.reduce_2, %cst_6 : tensor<1x8xf32>
      %centred.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %mean_1, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
      %centred_1 = stablehlo.subtract %h_1, %centred.broadcast_in_dim_2 : tensor<1x8x16xf32>
      %rstd.multiply_4 = stablehlo.multiply %centred_1, %centred_1 : tensor<1x8x16xf32>
      %rstd.reduce_2 = stablehlo.reduce(%rstd.multiply_4 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
      %rstd.multiply_5 = stablehlo.multiply %rstd.reduce_2, %cst_6 : tensor<1x8xf32>
      %rstd.add_2 = stablehlo.add %rstd.multiply_5, %cst_7 : tensor<1x8xf32>
      %rstd_1 = stablehlo.rsqrt %rstd.add_2 : tensor<1x8xf32>
      %broadcast_in_dim_7 = stablehlo.broadcast_in_dim %rstd_1, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
      %multiply_4 = stablehlo.multiply %centred_1, %broadcast_in_dim_7 : tensor<1x8x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %multiply_5 = stablehlo.multiply %multiply_4, %broadcast_in_dim_8 : tensor<1x8x16xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %mlpNorm.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %add_3 = stablehlo.add %multiply_5, %broadcast_in_dim_9 : tensor<1x8x16xf32>
      %own.reshape_8 = stablehlo.reshape %add_3 : (tensor<1x8x16xf32>) -> tensor<8x16xf32>
      %own.dot_general_5 = stablehlo.dot_general %own.reshape_8, %mlp.up.weight_1, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
      %own.reshape_9 = stablehlo.reshape %own.dot_general_5 : (tensor<8x64xf32>) -> tensor<1x8x64xf32>
      %fed.broadcast_in_dim = stablehlo.broadcast_in_dim %mlp.up.bias_1, dims = [2] : (tensor<64xf32>) -> tensor<1x8x64xf32>
      %fed.add = stablehlo.add %own.reshape_9, %fed.broadcast_in_dim : tensor<1x8x64xf32>
      %fed.multiply = stablehlo.multiply %fed.add, %fed.add : tensor<1x8x64xf32>
      %cst_14 = stablehlo.constant dense<4.471500e-02> : tensor<1x8x64xf32>
      %fed.multiply_1 = stablehlo.multiply %fed.multiply, %cst_14 : tensor<1x8x64xf32>
      %cst_15 = stablehlo.constant dense<1.000000e+00> : tensor<1x8x64xf32>
      %fed.add_1 = stablehlo.add %fed.multiply_1, %cst_15 : tensor<1x8x64xf32>
      %fed.multiply_2 = stablehlo.multiply %fed.add_1, %fed.add : tensor<1x8x64xf32>
      %cst_16 = stablehlo.constant dense<0.797884583> : tensor<1x8x64xf32>
      %fed.multiply_3 = stablehlo.multiply %fed.multiply_2, %cst_16 : tensor<1x8x64xf32>
      %fed.tanh = stablehlo.tanh %fed.multiply_3 : tensor<1x8x64xf32>
      %fed.add_2 = stablehlo.add %fed.tanh, %cst_15 : tensor<1x8x64xf32>
      %fed.multiply_4 = stablehlo.multiply %fed.add, %fed.add_2 : tensor<1x8x64xf32>
      %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<1x8x64xf32>
      %fed.multiply_5 = stablehlo.multiply %fed.multiply_4, %cst_17 : tensor<1x8x64xf32>
      %own.reshape_10 = stablehlo.reshape %fed.multiply_5 : (tensor<1x8x64xf32>) -> tensor<8x64xf32>
      %own.dot_general_6 = stablehlo.dot_general %own.reshape_10, %mlp.down.weight_1, contracting_dims = [1] x [0] : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
      %own_1 = stablehlo.reshape %own.dot_general_6 : (tensor<8x16xf32>) -> tensor<1x8x16xf32>
      %fed.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %mlp.down.bias_1, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
      %fed = stablehlo.add %own_1, %fed.broadcast_in_dim_1 : tensor<1x8x16xf32>
      %add_4 = stablehlo.add %h_1, %fed : tensor<1x8x16xf32>
      %c_2 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_2 : tensor<i32>
      stablehlo.return %h_2, %add_4 : tensor<i32>, tensor<1x8x16xf32>
    }
    %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %mean.reduce = stablehlo.reduce(%h#1 init: %cst_2) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
    %cst_3 = stablehlo.constant dense<6.250000e-02> : tensor<1x8xf32>
    %mean = stablehlo.multiply %mean.reduce, %cst_3 : tensor<1x8xf32>
    %centred.broadcast_in_dim = stablehlo.broadcast_in_dim %mean, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
    %centred = stablehlo.subtract %h#1, %centred.broadcast_in_dim : tensor<1x8x16xf32>
    %rstd.multiply = stablehlo.multiply %centred, %centred : tensor<1x8x16xf32>
    %rstd.reduce = stablehlo.reduce(%rstd.multiply init: %cst_2) applies stablehlo.add across dimensions = [2] : (tensor<1x8x16xf32>, tensor<f32>) -> tensor<1x8xf32>
    %rstd.multiply_1 = stablehlo.multiply %rstd.reduce, %cst_3 : tensor<1x8xf32>
    %cst_4 = stablehlo.constant dense<9.99999974E-6> : tensor<1x8xf32>
    %rstd.add = stablehlo.add %rstd.multiply_1, %cst_4 : tensor<1x8xf32>
    %rstd = stablehlo.rsqrt %rstd.add : tensor<1x8xf32>
    %broadcast_in_dim = stablehlo.broadcast_in_dim %rstd, dims = [0, 1] : (tensor<1x8xf32>) -> tensor<1x8x16xf32>
    %multiply = stablehlo.multiply %centred, %broadcast_in_dim : tensor<1x8x16xf32>
    %broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.norm.scale, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
    %multiply_1 = stablehlo.multiply %multiply, %broadcast_in_dim_1 : tensor<1x8x16xf32>
    %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %params.norm.bias, dims = [2] : (tensor<16xf32>) -> tensor<1x8x16xf32>
    %add = stablehlo.add %multiply_1, %broadcast_in_dim_2 : tensor<1x8x16xf32>
    %own.reshape = stablehlo.reshape %add : (tensor<1x8x16xf32>) -> tensor<8x16xf32>
    %own.dot_general = stablehlo.dot_general %own.reshape, %params.head.weight, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x256xf32>) -> tensor<8x256xf32>
    %own = stablehlo.reshape %own.dot_general : (tensor<8x256xf32>) -> tensor<1x8x256xf32>
    %logits.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.head.bias, dims = [2] : (tensor<256xf32>) -> tensor<1x8x256xf32>
    %logits = stablehlo.add %own, %logits.broadcast_in_dim_1 : tensor<1x8x256xf32>
    return %logits : tensor<1x8x256xf32>
  }
}
