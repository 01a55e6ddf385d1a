module @forward attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<64x32xf32>, %params.blocks.attentionNorm.scale: tensor<2x32xf32>, %params.blocks.attention.query.weight: tensor<2x32x4x8xf32>, %params.blocks.attention.key.weight: tensor<2x32x2x8xf32>, %params.blocks.attention.value.weight: tensor<2x32x2x8xf32>, %params.blocks.attention.output.weight: tensor<2x4x8x32xf32>, %params.blocks.mlpNorm.scale: tensor<2x32xf32>, %params.blocks.mlp.router.weight: tensor<2x32x4xf32>, %params.blocks.mlp.gate.weight: tensor<2x4x32x24xf32>, %params.blocks.mlp.up.weight: tensor<2x4x32x24xf32>, %params.blocks.mlp.down.weight: tensor<2x4x24x32xf32>, %params.norm.scale: tensor<32xf32>, %params.head.weight: tensor<32x64xf32>, %tokens: tensor<1x16xi32>) -> tensor<1x16x64xf32> {
    %at = stablehlo.iota dim = 0 : tensor<16xi32>
    %x = "stablehlo.gather"(%params.tokens.weight, %tokens) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<64x32xf32>, tensor<1x16xi32>) -> tensor<1x16x32xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %h:2 = stablehlo.while(%iterArg = %c, %iterArg_1 = %x) : tensor<i32>, tensor<1x16x32xf32>
    cond {
      %c_1 = stablehlo.constant dense<2> : tensor<i32>
      %h_1 = stablehlo.compare LT, %iterArg, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %h_1 : tensor<i1>
    } do {
      %c_1 = stablehlo.constant dense<0> : tensor<i32>
      %attentionNorm.scale = stablehlo.dynamic_slice %params.blocks.attentionNorm.scale, %iterArg, %c_1, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %attentionNorm.scale_1 = stablehlo.reshape %attentionNorm.scale : (tensor<1x32xf32>) -> tensor<32xf32>
      %attention.query.weight = stablehlo.dynamic_slice %params.blocks.attention.query.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 32, 4, 8] : (tensor<2x32x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4x8xf32>
      %attention.key.weight = stablehlo.dynamic_slice %params.blocks.attention.key.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %attention.value.weight = stablehlo.dynamic_slice %params.blocks.attention.value.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 32, 2, 8] : (tensor<2x32x2x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x2x8xf32>
      %attention.output.weight = stablehlo.dynamic_slice %params.blocks.attention.output.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 4, 8, 32] : (tensor<2x4x8x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x8x32xf32>
      %mlpNorm.scale = stablehlo.dynamic_slice %params.blocks.mlpNorm.scale, %iterArg, %c_1, sizes = [1, 32] : (tensor<2x32xf32>, tensor<i32>, tensor<i32>) -> tensor<1x32xf32>
      %mlpNorm.scale_1 = stablehlo.reshape %mlpNorm.scale : (tensor<1x32xf32>) -> tensor<32xf32>
      %mlp.router.weight = stablehlo.dynamic_slice %params.blocks.mlp.router.weight, %iterArg, %c_1, %c_1, sizes = [1, 32, 4] : (tensor<2x32x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x4xf32>
      %mlp.router.weight_1 = stablehlo.reshape %mlp.router.weight : (tensor<1x32x4xf32>) -> tensor<32x4xf32>
      %mlp.gate.weight = stablehlo.dynamic_slice %params.blocks.mlp.gate.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 4, 32, 24] : (tensor<2x4x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x32x24xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_1, %c_1, %c_1, sizes = [1, 4, 24, 32] : (tensor<2x4x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x24x32xf32>
      %rrms.multiply_2 = stablehlo.multiply %iterArg_1, %iterArg_1 : tensor<1x16x32xf32>
      %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %rrms.reduce_1 = stablehlo.reduce(%rrms.multiply_2 init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<1x16x32xf32>, tensor<f32>) -> tensor<1x16xf32>
      %cst_4 = stablehlo.constant dense<3.125000e-02> : tensor<1x16xf32>
      %rrms.multiply_3 = stablehlo.multiply %rrms.reduce_1, %cst_4 : tensor<1x16xf32>
      %cst_5 = stablehlo.constant dense<9.99999974E-6> : tensor<1x16xf32>
      %rrms.add_1 = stablehlo.add %rrms.multiply_3, %cst_5 : tensor<1x16xf32>
      %rrms.rsqrt = stablehlo.rsqrt %rrms.add_1 : tensor<1x16xf32>
      %broadcast_in_dim_2 = stablehlo.broadcast_in_dim %rrms.rsqrt, dims = [0, 1] : (tensor<1x16xf32>) -> tensor<1x16x32xf32>
      %multiply_2 = stablehlo.multiply %iterArg_1, %broadcast_in_dim_2 : tensor<1x16x32xf32>
      %broadcast_in_dim_3 = stablehlo.broadcast_in_dim %attentionNorm.scale_1, dims = [2] : (tensor<32xf32>) -> tensor<1x16x32xf32>
      %multiply_3 = stablehlo.multiply %multiply_2, %broadcast_in_dim_3 : tensor<1x16x32xf32>
      %own.reshape_1 = stablehlo.reshape %multiply_3 : (tensor<1x16x32xf32>) -> tensor<16x32xf32>
      %own.reshape_2 = stablehlo.reshape %attention.query.weight : (tensor<1x32x4x8xf32>) -> tensor<32x32xf32>
      %own.dot_general_1 = stablehlo.dot_general %own.reshape_1, %own.reshape_2, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x32xf32>) -> tensor<16x32xf32>
      %own.reshape_3 = stablehlo.reshape %own.dot_general_1 : (tensor<16x32xf32>) -> tensor<1x16x4x8xf32>
      %frequencies.iota = stablehlo.iota dim = 0 : tensor<4xf32>
      %cst_6 = stablehlo.constant dense<-3.45387769> : tensor<4xf32>
      %frequencies.multiply = stablehlo.multiply %frequencies.iota, %cst_6 : tensor<4xf32>
      %frequencies = stablehlo.exponential %frequencies.multiply : tensor<4xf32>
      %phase.convert = stablehlo.convert %at : (tensor<16xi32>) -> tensor<16xf32>
      %attended.broadcast_in_dim = stablehlo.broadcast_in_dim %phase.convert, dims = [0] : (tensor<16xf32>) -> tensor<16x4xf32>
      %phase.broadcast_in_dim = stablehlo.broadcast_in_dim %frequencies, dims = [1] : (tensor<4xf32>) -> tensor<16x4xf32>
      %phase = stablehlo.multiply %attended.broadcast_in_dim, %phase.broadcast_in_dim : tensor<16x4xf32>
      %attended.cosine = stablehlo.cosine %phase : tensor<16x4xf32>
      %attended.sine = stablehlo.sine %phase : tensor<16x4xf32>
      %slice = stablehlo.slice %own.reshape_3 [0:1, 0:16, 0:4, 0:4] : (tensor<1x16x4x8xf32>) -> tensor<1x16x4x4xf32>
      %slice_1 = stablehlo.slice %own.reshape_3 [0:1, 0:16, 0:4, 4:8] : (tensor<1x16x4x8xf32>) -> tensor<1x16x4x4xf32>
      %broadcast_in_dim_4 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<1x16x4x4xf32>
      %multiply_4 = stablehlo.multiply %slice, %broadcast_in_dim_4 : tensor<1x16x4x4xf32>
      %broadcast_in_dim_5 = stablehlo.broadcast_in_dim %attended.sine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<1x16x4x4xf32>
      %multiply_5 = stablehlo.multiply %slice_1, %broadcast_in_dim_5 : tensor<1x16x4x4xf32>
      %subtract = stablehlo.subtract %multiply_4, %multiply_5 : tensor<1x16x4x4xf32>
      %multiply_6 = stablehlo.multiply %slice_1, %broadcast_in_dim_4 : tensor<1x16x4x4xf32>
      %multiply_7 = stablehlo.multiply %slice, %broadcast_in_dim_5 : tensor<1x16x4x4xf32>
      %add = stablehlo.add %multiply_6, %multiply_7 : tensor<1x16x4x4xf32>
      %concatenate = stablehlo.concatenate %subtract, %add, dim = 3 : (tensor<1x16x4x4xf32>, tensor<1x16x4x4xf32>) -> tensor<1x16x4x8xf32>
      %own.reshape_4 = stablehlo.reshape %attention.key.weight : (tensor<1x32x2x8xf32>) -> tensor<32x16xf32>
      %own.dot_general_2 = stablehlo.dot_general %own.reshape_1, %own.reshape_4, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x16xf32>) -> tensor<16x16xf32>
      %own.reshape_5 = stablehlo.reshape %own.dot_general_2 : (tensor<16x16xf32>) -> tensor<1x16x2x8xf32>
      %slice_2 = stablehlo.slice %own.reshape_5 [0:1, 0:16, 0:2, 0:4] : (tensor<1x16x2x8xf32>) -> tensor<1x16x2x4xf32>
      %slice_3 = stablehlo.slice %own.reshape_5 [0:1, 0:16, 0:2, 4:8] : (tensor<1x16x2x8xf32>) -> tensor<1x16x2x4xf32>
      %broadcast_in_dim_6 = stablehlo.broadcast_in_dim %attended.cosine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<1x16x2x4xf32>
      %multiply_8 = stablehlo.multiply %slice_2, %broadcast_in_dim_6 : tensor<1x16x2x4xf32>
      %broadcast_in_dim_7 = stablehlo.broadcast_in_dim %attended.sine, dims = [1, 3] : (tensor<16x4xf32>) -> tensor<1x16x2x4xf32>
      %multiply_9 = stablehlo.multiply %slice_3, %broadcast_in_dim_7 : tensor<1x16x2x4xf32>
      %subtract_1 = stablehlo.subtract %multiply_8, %multiply_9 : tensor<1x16x2x4xf32>
      %multiply_10 = stablehlo.multiply %slice_3, %broadcast_in_dim_6 : tensor<1x16x2x4xf32>
      %multiply_11 = stablehlo.multiply %slice_2, %broadcast_in_dim_7 : tensor<1x16x2x4xf32>
      %add_1 = stablehlo.add %multiply_10, %multiply_11 : tensor<1x16x2x4xf32>
      %concatenate_1 = stablehlo.concatenate %subtract_1, %add_1, dim = 3 : (tensor<1x16x2x4xf32>, tensor<1x16x2x4xf32>) -> tensor<1x16x2x8xf32>
      %own.reshape_6 = stablehlo.reshape %attention.value.weight : (tensor<1x32x2x8xf32>) -> tensor<32x16xf32>
      %own.dot_general_3 = stablehlo.dot_general %own.reshape_1, %own.reshape_6, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x16xf32>) -> tensor<16x16xf32>
      %own.reshape_7 = stablehlo.reshape %own.dot_general_3 : (tensor<16x16xf32>) -> tensor<1x16x2x8xf32>
      %attended.reshape = stablehlo.reshape %concatenate : (tensor<1x16x4x8xf32>) -> tensor<1x16x2x2x8xf32>
      %cst_7 = stablehlo.constant dense<0.353553385> : tensor<1x16x2x2x8xf32>
      %scaled = stablehlo.multiply %attended.reshape, %cst_7 : tensor<1x16x2x2x8xf32>
      %numbers = stablehlo.iota dim = 0 : tensor<16xi32>
      %before.broadcast_in_dim = stablehlo.broadcast_in_dim %numbers, dims = [0] : (tensor<16xi32>) -> tensor<16x16xi32>
      %before.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %numbers, dims = [1] : (tensor<16xi32>) -> tensor<16x16xi32>
      %before = stablehlo.compare GE, %before.broadcast_in_dim, %before.broadcast_in_dim_1, SIGNED : (tensor<16x16xi32>, tensor<16x16xi32>) -> tensor<16x16xi1>
      %attended.transpose = stablehlo.transpose %scaled, dims = [0, 2, 3, 1, 4] : (tensor<1x16x2x2x8xf32>) -> tensor<1x2x2x16x8xf32>
      %s = stablehlo.dot_general %attended.transpose, %concatenate_1, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [3] : (tensor<1x2x2x16x8xf32>, tensor<1x16x2x8xf32>) -> tensor<1x2x2x16x16xf32>
      %cst_8 = stablehlo.constant dense<-1.000000e+30> : tensor<1x2x2x16x16xf32>
      %s.broadcast_in_dim = stablehlo.broadcast_in_dim %before, dims = [3, 4] : (tensor<16x16xi1>) -> tensor<1x2x2x16x16xi1>
      %s_1 = stablehlo.select %s.broadcast_in_dim, %s, %cst_8 : tensor<1x2x2x16x16xi1>, tensor<1x2x2x16x16xf32>
      %cst_9 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %peak.reduce = stablehlo.reduce(%s_1 init: %cst_9) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x2x16x16xf32>, tensor<f32>) -> tensor<1x2x2x16xf32>
      %cst_10 = stablehlo.constant dense<-1.000000e+29> : tensor<1x2x2x16xf32>
      %peak = stablehlo.maximum %peak.reduce, %cst_10 : tensor<1x2x2x16xf32>
      %weights.broadcast_in_dim = stablehlo.broadcast_in_dim %peak, dims = [0, 1, 2, 3] : (tensor<1x2x2x16xf32>) -> tensor<1x2x2x16x16xf32>
      %weights.subtract = stablehlo.subtract %s_1, %weights.broadcast_in_dim : tensor<1x2x2x16x16xf32>
      %weights = stablehlo.exponential %weights.subtract : tensor<1x2x2x16x16xf32>
      %total = stablehlo.reduce(%weights init: %cst_3) applies stablehlo.add across dimensions = [4] : (tensor<1x2x2x16x16xf32>, tensor<f32>) -> tensor<1x2x2x16xf32>
      %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<1x2x2x16xf32>
      %divisor.compare = stablehlo.compare EQ, %total, %cst_11, FLOAT : (tensor<1x2x2x16xf32>, tensor<1x2x2x16xf32>) -> tensor<1x2x2x16xi1>
      %cst_12 = stablehlo.constant dense<1.000000e+00> : tensor<1x2x2x16xf32>
      %divisor = stablehlo.select %divisor.compare, %cst_12, %total : tensor<1x2x2x16xi1>, tensor<1x2x2x16xf32>
      %probs.broadcast_in_dim = stablehlo.broadcast_in_dim %divisor, dims = [0, 1, 2, 3] : (tensor<1x2x2x16xf32>) -> tensor<1x2x2x16x16xf32>
      %probs = stablehlo.divide %weights, %probs.broadcast_in_dim : tensor<1x2x2x16x16xf32>
      %dot_general = stablehlo.dot_general %probs, %own.reshape_7, batching_dims = [0, 1] x [0, 2], contracting_dims = [4] x [1] : (tensor<1x2x2x16x16xf32>, tensor<1x16x2x8xf32>) -> tensor<1x2x2x16x8xf32>
      %attended = stablehlo.transpose %dot_general, dims = [0, 3, 1, 2, 4] : (tensor<1x2x2x16x8xf32>) -> tensor<1x16x2x2x8xf32>
      %own.reshape_8 = stablehlo.reshape %attended : (tensor<1x16x2x2x8xf32>) -> tensor<16x32xf32>
      %own.reshape_9 = stablehlo.reshape %attention.output.weight : (tensor<1x4x8x32xf32>) -> tensor<32x32xf32>
      %own.dot_general_4 = stablehlo.dot_general %own.reshape_8, %own.reshape_9, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x32xf32>) -> tensor<16x32xf32>
      %own_1 = stablehlo.reshape %own.dot_general_4 : (tensor<16x32xf32>) -> tensor<1x16x32xf32>
      %h_1 = stablehlo.add %iterArg_1, %own_1 : tensor<1x16x32xf32>
      %rrms.multiply_4 = stablehlo.multiply %h_1, %h_1 : tensor<1x16x32xf32>
      %rrms.reduce_2 = stablehlo.reduce(%rrms.multiply_4 init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<1x16x32xf32>, tensor<f32>) -> tensor<1x16xf32>
      %rrms.multiply_5 = stablehlo.multiply %rrms.reduce_2, %cst_4 : tensor<1x16xf32>
      %rrms.add_2 = stablehlo.add %rrms.multiply_5, %cst_5 : tensor<1x16xf32>
      %rrms_1 = stablehlo.rsqrt %rrms.add_2 : tensor<1x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rrms_1, dims = [0, 1] : (tensor<1x16xf32>) -> tensor<1x16x32xf32>
      %multiply_12 = stablehlo.multiply %h_1, %broadcast_in_dim_8 : tensor<1x16x32xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<32xf32>) -> tensor<1x16x32xf32>
      %multiply_13 = stablehlo.multiply %multiply_12, %broadcast_in_dim_9 : tensor<1x16x32xf32>
      %joined = stablehlo.reshape %multiply_13 : (tensor<1x16x32xf32>) -> tensor<16x32xf32>
      %logits = stablehlo.dot_general %joined, %mlp.router.weight_1, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<16x32xf32>, tensor<32x4xf32>) -> tensor<16x4xf32>
      %scores.reduce = stablehlo.reduce(%logits init: %cst_9) applies stablehlo.maximum across dimensions = [1] : (tensor<16x4xf32>, tensor<f32>) -> tensor<16xf32>
      %scores.is_finite = stablehlo.is_finite %scores.reduce : (tensor<16xf32>) -> tensor<16xi1>
      %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<16xf32>
      %scores.select = stablehlo.select %scores.is_finite, %scores.reduce, %cst_13 : tensor<16xi1>, tensor<16xf32>
      %scores.broadcast_in_dim = stablehlo.broadcast_in_dim %scores.select, dims = [0] : (tensor<16xf32>) -> tensor<16x4xf32>
      %scores.subtract = stablehlo.subtract %logits, %scores.broadcast_in_dim : tensor<16x4xf32>
      %scores.exponential = stablehlo.exponential %scores.subtract : tensor<16x4xf32>
      %scores.reduce_1 = stablehlo.reduce(%scores.exponential init: %cst_3) applies stablehlo.add across dimensions = [1] : (tensor<16x4xf32>, tensor<f32>) -> tensor<16xf32>
      %scores.compare = stablehlo.compare EQ, %scores.reduce_1, %cst_13, FLOAT : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xi1>
      %cst_14 = stablehlo.constant dense<1.000000e+00> : tensor<16xf32>
      %scores.select_1 = stablehlo.select %scores.compare, %cst_14, %scores.reduce_1 : tensor<16xi1>, tensor<16xf32>
      %scores.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %scores.select_1, dims = [0] : (tensor<16xf32>) -> tensor<16x4xf32>
      %scores = stablehlo.divide %scores.exponential, %scores.broadcast_in_dim_1 : tensor<16x4xf32>
      %top_k:2 = chlo.top_k(%scores, k = 2) : tensor<16x4xf32> -> (tensor<16x2xf32>, tensor<16x2xi32>)
      %chosen = "stablehlo.gather"(%scores, %top_k#1) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<16x4xf32>, tensor<16x2xi32>) -> tensor<16x2xf32>
      %reduce = stablehlo.reduce(%chosen init: %cst_3) applies stablehlo.add across dimensions = [1] : (tensor<16x2xf32>, tensor<f32>) -> tensor<16xf32>
      %cst_15 = stablehlo.constant dense<9.99999968E-21> : tensor<16xf32>
      %add_2 = stablehlo.add %reduce, %cst_15 : tensor<16xf32>
      %broadcast_in_dim_10 = stablehlo.broadcast_in_dim %add_2, dims = [0] : (tensor<16xf32>) -> tensor<16x2xf32>
      %divide = stablehlo.divide %chosen, %broadcast_in_dim_10 : tensor<16x2xf32>
      %cst_16 = stablehlo.constant dense<1.000000e+00> : tensor<16x2xf32>
      %weight = stablehlo.multiply %divide, %cst_16 : tensor<16x2xf32>
      %choices.iota = stablehlo.iota dim = 0 : tensor<4xi32>
      %choices.broadcast_in_dim = stablehlo.broadcast_in_dim %top_k#1, dims = [0, 1] : (tensor<16x2xi32>) -> tensor<16x2x4xi32>
      %choices.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %choices.iota, dims = [2] : (tensor<4xi32>) -> tensor<16x2x4xi32>
      %choices.compare = stablehlo.compare EQ, %choices.broadcast_in_dim, %choices.broadcast_in_dim_1, SIGNED : (tensor<16x2x4xi32>, tensor<16x2x4xi32>) -> tensor<16x2x4xi1>
      %choices = stablehlo.convert %choices.compare : (tensor<16x2x4xi1>) -> tensor<16x2x4xi32>
      %load = stablehlo.reduce(%choices init: %c_1) applies stablehlo.add across dimensions = [0, 1] : (tensor<16x2x4xi32>, tensor<i32>) -> tensor<4xi32>
      %ofAssignment.transpose = stablehlo.transpose %top_k#1, dims = [1, 0] : (tensor<16x2xi32>) -> tensor<2x16xi32>
      %ofAssignment = stablehlo.reshape %ofAssignment.transpose : (tensor<2x16xi32>) -> tensor<32xi32>
      %order.iota = stablehlo.iota dim = 0 : tensor<32xi32>
      %order:2 = "stablehlo.sort"(%ofAssignment, %order.iota) <{dimension = 0 : i64, is_stable = true}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<i32>, %arg3: tensor<i32>):
        %order_1 = stablehlo.compare LT, %arg0, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %order_1 : tensor<i1>
      }) : (tensor<32xi32>, tensor<32xi32>) -> (tensor<32xi32>, tensor<32xi32>)
      %at.sort:2 = "stablehlo.sort"(%order#1, %order.iota) <{dimension = 0 : i64, is_stable = true}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<i32>, %arg3: tensor<i32>):
        %at_2 = stablehlo.compare LT, %arg0, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %at_2 : tensor<i1>
      }) : (tensor<32xi32>, tensor<32xi32>) -> (tensor<32xi32>, tensor<32xi32>)
      %at_1 = stablehlo.reshape %at.sort#1 : (tensor<32xi32>) -> tensor<2x16xi32>
      %c_2 = stablehlo.constant dense<16> : tensor<32xi32>
      %remainder = stablehlo.remainder %order#1, %c_2 : tensor<32xi32>
      %gather = "stablehlo.gather"(%joined, %remainder) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<16x32xf32>, tensor<32xi32>) -> tensor<32x32xf32>
      %own.reshape_10 = stablehlo.reshape %gather : (tensor<32x32xf32>) -> tensor<1x32x1x32xf32>
      %own.reshape_11 = stablehlo.reshape %mlp.gate.weight : (tensor<1x4x32x24xf32>) -> tensor<4x1x32x24xf32>
      %own.convert = stablehlo.convert %load : tensor<4xi32>
      %own.broadcast_in_dim = stablehlo.broadcast_in_dim %own.convert, dims = [1] : (tensor<4xi32>) -> tensor<1x4xi32>
      %c_3 = stablehlo.constant dense<0> : tensor<1x4xi32>
      %own.maximum = stablehlo.maximum %own.broadcast_in_dim, %c_3 : tensor<1x4xi32>
      %own.reduce_window = "stablehlo.reduce_window"(%own.maximum, %c_1) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %c_4 = stablehlo.constant dense<32> : tensor<1x4xi32>
      %own.minimum = stablehlo.minimum %own.reduce_window, %c_4 : tensor<1x4xi32>
      %cst_17 = stablehlo.constant dense<0.000000e+00> : tensor<1x32x1x24xf32>
      %own.while:3 = stablehlo.while(%iterArg_2 = %c_1, %iterArg_3 = %c_1, %iterArg_4 = %cst_17) : tensor<i32>, tensor<i32>, tensor<1x32x1x24xf32>
      cond {
        %c_6 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_2, %c_6, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_6 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum, %iterArg_2, %c_6, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_6) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_3, %c_6 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<32xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<32xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<32xi1>
        %c_7 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_2, %c_7 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_11, %own.reduce, %own.divide, %c_6, %c_6, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x32x24xf32>) -> tensor<32x24xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_10, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 32] : (tensor<1x32x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x32xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x32x1x32xf32>) -> tensor<32x32xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x24xf32>) -> tensor<32x24xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<32x24xf32>) -> tensor<32x1x24xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_4, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 24] : (tensor<1x32x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x24xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x32x1x24xf32>) -> tensor<32x1x24xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<32xi1>) -> tensor<32x1x24xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<32x1x24xi1>, tensor<32x1x24xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<32x1x24xf32>) -> tensor<1x32x1x24xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_4, %own.reshape_23, %iterArg_2, %own.minimum_3, %c_6, %c_6 : (tensor<1x32x1x24xf32>, tensor<1x32x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x24xf32>
        %c_8 = stablehlo.constant dense<32> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_8 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_2, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_6, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x32x1x24xf32>
      }
      %own.convert_1 = stablehlo.convert %own.while#2 : tensor<1x32x1x24xf32>
      %own.reshape_12 = stablehlo.reshape %own.convert_1 : (tensor<1x32x1x24xf32>) -> tensor<32x24xf32>
      %own.reshape_13 = stablehlo.reshape %mlp.up.weight : (tensor<1x4x32x24xf32>) -> tensor<4x1x32x24xf32>
      %own.reduce_window_1 = "stablehlo.reduce_window"(%own.maximum, %c_1) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %own.minimum_1 = stablehlo.minimum %own.reduce_window_1, %c_4 : tensor<1x4xi32>
      %own.while_1:3 = stablehlo.while(%iterArg_2 = %c_1, %iterArg_3 = %c_1, %iterArg_4 = %cst_17) : tensor<i32>, tensor<i32>, tensor<1x32x1x24xf32>
      cond {
        %c_6 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_2, %c_6, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_6 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum_1, %iterArg_2, %c_6, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_6) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_3, %c_6 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<32xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<32xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<32xi1>
        %c_7 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_2, %c_7 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_13, %own.reduce, %own.divide, %c_6, %c_6, sizes = [1, 1, 32, 24] : (tensor<4x1x32x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x32x24xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x32x24xf32>) -> tensor<32x24xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_10, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 32] : (tensor<1x32x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x32xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x32x1x32xf32>) -> tensor<32x32xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<32x32xf32>, tensor<32x24xf32>) -> tensor<32x24xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<32x24xf32>) -> tensor<32x1x24xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_4, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 24] : (tensor<1x32x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x24xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x32x1x24xf32>) -> tensor<32x1x24xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<32xi1>) -> tensor<32x1x24xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<32x1x24xi1>, tensor<32x1x24xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<32x1x24xf32>) -> tensor<1x32x1x24xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_4, %own.reshape_23, %iterArg_2, %own.minimum_3, %c_6, %c_6 : (tensor<1x32x1x24xf32>, tensor<1x32x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x24xf32>
        %c_8 = stablehlo.constant dense<32> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_8 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_2, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_6, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x32x1x24xf32>
      }
      %own.convert_2 = stablehlo.convert %own.while_1#2 : tensor<1x32x1x24xf32>
      %own.reshape_14 = stablehlo.reshape %own.convert_2 : (tensor<1x32x1x24xf32>) -> tensor<32x24xf32>
      %inner.logistic = stablehlo.logistic %own.reshape_12 : tensor<32x24xf32>
      %inner.multiply = stablehlo.multiply %own.reshape_12, %inner.logistic : tensor<32x24xf32>
      %inner = stablehlo.multiply %inner.multiply, %own.reshape_14 : tensor<32x24xf32>
      %own.reshape_15 = stablehlo.reshape %inner : (tensor<32x24xf32>) -> tensor<1x32x1x24xf32>
      %own.reshape_16 = stablehlo.reshape %mlp.down.weight : (tensor<1x4x24x32xf32>) -> tensor<4x1x24x32xf32>
      %own.reduce_window_2 = "stablehlo.reduce_window"(%own.maximum, %c_1) <{base_dilations = array<i64: 1, 1>, padding = dense<[[0, 0], [3, 0]]> : tensor<2x2xi64>, window_dilations = array<i64: 1, 1>, window_dimensions = array<i64: 1, 4>, window_strides = array<i64: 1, 1>}> ({
      ^bb0(%arg0: tensor<i32>, %arg1: tensor<i32>):
        %own_3 = stablehlo.add %arg0, %arg1 : tensor<i32>
        stablehlo.return %own_3 : tensor<i32>
      }) : (tensor<1x4xi32>, tensor<i32>) -> tensor<1x4xi32>
      %own.minimum_2 = stablehlo.minimum %own.reduce_window_2, %c_4 : tensor<1x4xi32>
      %cst_18 = stablehlo.constant dense<0.000000e+00> : tensor<1x32x1x32xf32>
      %own.while_2:3 = stablehlo.while(%iterArg_2 = %c_1, %iterArg_3 = %c_1, %iterArg_4 = %cst_18) : tensor<i32>, tensor<i32>, tensor<1x32x1x32xf32>
      cond {
        %c_6 = stablehlo.constant dense<1> : tensor<i32>
        %own_3 = stablehlo.compare LT, %iterArg_2, %c_6, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        stablehlo.return %own_3 : tensor<i1>
      } do {
        %c_6 = stablehlo.constant dense<0> : tensor<i32>
        %own.dynamic_slice = stablehlo.dynamic_slice %own.minimum_2, %iterArg_2, %c_6, sizes = [1, 4] : (tensor<1x4xi32>, tensor<i32>, tensor<i32>) -> tensor<1x4xi32>
        %own.reshape_17 = stablehlo.reshape %own.dynamic_slice : (tensor<1x4xi32>) -> tensor<4xi32>
        %own.broadcast_in_dim_1 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %own.compare = stablehlo.compare LE, %own.reshape_17, %own.broadcast_in_dim_1, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
        %own.convert_4 = stablehlo.convert %own.compare : (tensor<4xi1>) -> tensor<4xi32>
        %own.reduce = stablehlo.reduce(%own.convert_4 init: %c_6) applies stablehlo.add across dimensions = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
        %own.dynamic_slice_1 = stablehlo.dynamic_slice %own.reshape_17, %own.reduce, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
        %own.reshape_18 = stablehlo.reshape %own.dynamic_slice_1 : (tensor<1xi32>) -> tensor<i32>
        %own.minimum_3 = stablehlo.minimum %iterArg_3, %c_6 : tensor<i32>
        %own.iota = stablehlo.iota dim = 0 : tensor<32xi32>
        %own.broadcast_in_dim_2 = stablehlo.broadcast_in_dim %own.minimum_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.add = stablehlo.add %own.iota, %own.broadcast_in_dim_2 : tensor<32xi32>
        %own.broadcast_in_dim_3 = stablehlo.broadcast_in_dim %iterArg_3, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_1 = stablehlo.compare GE, %own.add, %own.broadcast_in_dim_3, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.broadcast_in_dim_4 = stablehlo.broadcast_in_dim %own.reshape_18, dims = [] : (tensor<i32>) -> tensor<32xi32>
        %own.compare_2 = stablehlo.compare LT, %own.add, %own.broadcast_in_dim_4, SIGNED : (tensor<32xi32>, tensor<32xi32>) -> tensor<32xi1>
        %own.and = stablehlo.and %own.compare_1, %own.compare_2 : tensor<32xi1>
        %c_7 = stablehlo.constant dense<1> : tensor<i32>
        %own.divide = stablehlo.divide %iterArg_2, %c_7 : tensor<i32>
        %own.dynamic_slice_2 = stablehlo.dynamic_slice %own.reshape_16, %own.reduce, %own.divide, %c_6, %c_6, sizes = [1, 1, 24, 32] : (tensor<4x1x24x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x24x32xf32>
        %own.reshape_19 = stablehlo.reshape %own.dynamic_slice_2 : (tensor<1x1x24x32xf32>) -> tensor<24x32xf32>
        %own.dynamic_slice_3 = stablehlo.dynamic_slice %own.reshape_15, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 24] : (tensor<1x32x1x24xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x24xf32>
        %own.reshape_20 = stablehlo.reshape %own.dynamic_slice_3 : (tensor<1x32x1x24xf32>) -> tensor<32x24xf32>
        %own.dot_general_5 = stablehlo.dot_general %own.reshape_20, %own.reshape_19, contracting_dims = [1] x [0] : (tensor<32x24xf32>, tensor<24x32xf32>) -> tensor<32x32xf32>
        %own.reshape_21 = stablehlo.reshape %own.dot_general_5 : (tensor<32x32xf32>) -> tensor<32x1x32xf32>
        %own.dynamic_slice_4 = stablehlo.dynamic_slice %iterArg_4, %iterArg_2, %own.minimum_3, %c_6, %c_6, sizes = [1, 32, 1, 32] : (tensor<1x32x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x32xf32>
        %own.reshape_22 = stablehlo.reshape %own.dynamic_slice_4 : (tensor<1x32x1x32xf32>) -> tensor<32x1x32xf32>
        %own.broadcast_in_dim_5 = stablehlo.broadcast_in_dim %own.and, dims = [0] : (tensor<32xi1>) -> tensor<32x1x32xi1>
        %own.select = stablehlo.select %own.broadcast_in_dim_5, %own.reshape_21, %own.reshape_22 : tensor<32x1x32xi1>, tensor<32x1x32xf32>
        %own.reshape_23 = stablehlo.reshape %own.select : (tensor<32x1x32xf32>) -> tensor<1x32x1x32xf32>
        %own.dynamic_update_slice = stablehlo.dynamic_update_slice %iterArg_4, %own.reshape_23, %iterArg_2, %own.minimum_3, %c_6, %c_6 : (tensor<1x32x1x32xf32>, tensor<1x32x1x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x1x32xf32>
        %c_8 = stablehlo.constant dense<32> : tensor<i32>
        %own.add_1 = stablehlo.add %own.minimum_3, %c_8 : tensor<i32>
        %own.minimum_4 = stablehlo.minimum %own.add_1, %own.reshape_18 : tensor<i32>
        %own.slice = stablehlo.slice %own.reshape_17 [3:4] : (tensor<4xi32>) -> tensor<1xi32>
        %own.reshape_24 = stablehlo.reshape %own.slice : (tensor<1xi32>) -> tensor<i32>
        %own.compare_3 = stablehlo.compare GE, %own.minimum_4, %own.reshape_24, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %own.convert_5 = stablehlo.convert %own.compare_3 : (tensor<i1>) -> tensor<i32>
        %own.add_2 = stablehlo.add %iterArg_2, %own.convert_5 : tensor<i32>
        %own_3 = stablehlo.select %own.compare_3, %c_6, %own.minimum_4 : tensor<i1>, tensor<i32>
        stablehlo.return %own.add_2, %own_3, %own.dynamic_update_slice : tensor<i32>, tensor<i32>, tensor<1x32x1x32xf32>
      }
      %own.convert_3 = stablehlo.convert %own.while_2#2 : tensor<1x32x1x32xf32>
      %own_2 = stablehlo.reshape %own.convert_3 : (tensor<1x32x1x32xf32>) -> tensor<32x32xf32>
      %out.gather = "stablehlo.gather"(%own_2, %at_1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<32x32xf32>, tensor<2x16xi32>) -> tensor<2x16x32xf32>
      %out.broadcast_in_dim = stablehlo.broadcast_in_dim %weight, dims = [1, 0] : (tensor<16x2xf32>) -> tensor<2x16x32xf32>
      %out.multiply = stablehlo.multiply %out.gather, %out.broadcast_in_dim : tensor<2x16x32xf32>
      %out = stablehlo.reduce(%out.multiply init: %cst_3) applies stablehlo.add across dimensions = [0] : (tensor<2x16x32xf32>, tensor<f32>) -> tensor<16x32xf32>
      %fed = stablehlo.reshape %out : (tensor<16x32xf32>) -> tensor<1x16x32xf32>
      %add_3 = stablehlo.add %h_1, %fed : tensor<1x16x32xf32>
      %c_5 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_5 : tensor<i32>
      stablehlo.return %h_2, %add_3 : tensor<i32>, tensor<1x16x32xf32>
    }
    %rrms.multiply = stablehlo.multiply %h#1, %h#1 : tensor<1x16x32xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %rrms.reduce = stablehlo.reduce(%rrms.multiply init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x16x32xf32>, tensor<f32>) -> tensor<1x16xf32>
    %cst_1 = stablehlo.constant dense<3.125000e-02> : tensor<1x16xf32>
    %rrms.multiply_1 = stablehlo.multiply %rrms.reduce, %cst_1 : tensor<1x16xf32>
    %cst_2 = stablehlo.constant dense<9.99999974E-6> : tensor<1x16xf32>
    %rrms.add = stablehlo.add %rrms.multiply_1, %cst_2 : tensor<1x16xf32>
    %rrms = stablehlo.rsqrt %rrms.add : tensor<1x16xf32>
    %broadcast_in_dim = stablehlo.broadcast_in_dim %rrms, dims = [0, 1] : (tensor<1x16xf32>) -> tensor<1x16x32xf32>
    %multiply = stablehlo.multiply %h#1, %broadcast_in_dim : tensor<1x16x32xf32>
    %broadcast_in_dim_1 = stablehlo.broadcast_in_dim %params.norm.scale, dims = [2] : (tensor<32xf32>) -> tensor<1x16x32xf32>
    %multiply_1 = stablehlo.multiply %multiply, %broadcast_in_dim_1 : tensor<1x16x32xf32>
    %own.reshape = stablehlo.reshape %multiply_1 : (tensor<1x16x32xf32>) -> tensor<16x32xf32>
    %own.dot_general = stablehlo.dot_general %own.reshape, %params.head.weight, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x64xf32>) -> tensor<16x64xf32>
    %own = stablehlo.reshape %own.dot_general : (tensor<16x64xf32>) -> tensor<1x16x64xf32>
    return %own : tensor<1x16x64xf32>
  }
}
