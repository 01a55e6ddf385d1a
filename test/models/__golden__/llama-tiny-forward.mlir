module @forward attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%params.tokens.weight: tensor<64x32xf32>, %params.blocks.attentionNorm.scale: tensor<2x32xf32>, %params.blocks.attention.query.weight: tensor<2x32x4x8xf32>, %params.blocks.attention.key.weight: tensor<2x32x2x8xf32>, %params.blocks.attention.value.weight: tensor<2x32x2x8xf32>, %params.blocks.attention.output.weight: tensor<2x4x8x32xf32>, %params.blocks.mlpNorm.scale: tensor<2x32xf32>, %params.blocks.mlp.gate.weight: tensor<2x32x48xf32>, %params.blocks.mlp.up.weight: tensor<2x32x48xf32>, %params.blocks.mlp.down.weight: tensor<2x48x32xf32>, %params.norm.scale: tensor<32xf32>, %params.head.weight: tensor<32x64xf32>, %tokens: tensor<1x16xi32>) -> tensor<1x16x64xf32> {
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
      %mlp.gate.weight = stablehlo.dynamic_slice %params.blocks.mlp.gate.weight, %iterArg, %c_1, %c_1, sizes = [1, 32, 48] : (tensor<2x32x48xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x48xf32>
      %mlp.gate.weight_1 = stablehlo.reshape %mlp.gate.weight : (tensor<1x32x48xf32>) -> tensor<32x48xf32>
      %mlp.up.weight = stablehlo.dynamic_slice %params.blocks.mlp.up.weight, %iterArg, %c_1, %c_1, sizes = [1, 32, 48] : (tensor<2x32x48xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x32x48xf32>
      %mlp.up.weight_1 = stablehlo.reshape %mlp.up.weight : (tensor<1x32x48xf32>) -> tensor<32x48xf32>
      %mlp.down.weight = stablehlo.dynamic_slice %params.blocks.mlp.down.weight, %iterArg, %c_1, %c_1, sizes = [1, 48, 32] : (tensor<2x48x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x48x32xf32>
      %mlp.down.weight_1 = stablehlo.reshape %mlp.down.weight : (tensor<1x48x32xf32>) -> tensor<48x32xf32>
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
      %cst_6 = stablehlo.constant dense<-2.30258512> : tensor<4xf32>
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
      %own.reshape_10 = stablehlo.reshape %own.dot_general_4 : (tensor<16x32xf32>) -> tensor<1x16x32xf32>
      %h_1 = stablehlo.add %iterArg_1, %own.reshape_10 : tensor<1x16x32xf32>
      %rrms.multiply_4 = stablehlo.multiply %h_1, %h_1 : tensor<1x16x32xf32>
      %rrms.reduce_2 = stablehlo.reduce(%rrms.multiply_4 init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<1x16x32xf32>, tensor<f32>) -> tensor<1x16xf32>
      %rrms.multiply_5 = stablehlo.multiply %rrms.reduce_2, %cst_4 : tensor<1x16xf32>
      %rrms.add_2 = stablehlo.add %rrms.multiply_5, %cst_5 : tensor<1x16xf32>
      %rrms_1 = stablehlo.rsqrt %rrms.add_2 : tensor<1x16xf32>
      %broadcast_in_dim_8 = stablehlo.broadcast_in_dim %rrms_1, dims = [0, 1] : (tensor<1x16xf32>) -> tensor<1x16x32xf32>
      %multiply_12 = stablehlo.multiply %h_1, %broadcast_in_dim_8 : tensor<1x16x32xf32>
      %broadcast_in_dim_9 = stablehlo.broadcast_in_dim %mlpNorm.scale_1, dims = [2] : (tensor<32xf32>) -> tensor<1x16x32xf32>
      %multiply_13 = stablehlo.multiply %multiply_12, %broadcast_in_dim_9 : tensor<1x16x32xf32>
      %own.reshape_11 = stablehlo.reshape %multiply_13 : (tensor<1x16x32xf32>) -> tensor<16x32xf32>
      %own.dot_general_5 = stablehlo.dot_general %own.reshape_11, %mlp.gate.weight_1, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x48xf32>) -> tensor<16x48xf32>
      %own.reshape_12 = stablehlo.reshape %own.dot_general_5 : (tensor<16x48xf32>) -> tensor<1x16x48xf32>
      %own.dot_general_6 = stablehlo.dot_general %own.reshape_11, %mlp.up.weight_1, contracting_dims = [1] x [0] : (tensor<16x32xf32>, tensor<32x48xf32>) -> tensor<16x48xf32>
      %own.reshape_13 = stablehlo.reshape %own.dot_general_6 : (tensor<16x48xf32>) -> tensor<1x16x48xf32>
      %fed.logistic = stablehlo.logistic %own.reshape_12 : tensor<1x16x48xf32>
      %fed.multiply = stablehlo.multiply %own.reshape_12, %fed.logistic : tensor<1x16x48xf32>
      %fed = stablehlo.multiply %fed.multiply, %own.reshape_13 : tensor<1x16x48xf32>
      %own.reshape_14 = stablehlo.reshape %fed : (tensor<1x16x48xf32>) -> tensor<16x48xf32>
      %own.dot_general_7 = stablehlo.dot_general %own.reshape_14, %mlp.down.weight_1, contracting_dims = [1] x [0] : (tensor<16x48xf32>, tensor<48x32xf32>) -> tensor<16x32xf32>
      %own_1 = stablehlo.reshape %own.dot_general_7 : (tensor<16x32xf32>) -> tensor<1x16x32xf32>
      %add_2 = stablehlo.add %h_1, %own_1 : tensor<1x16x32xf32>
      %c_2 = stablehlo.constant dense<1> : tensor<i32>
      %h_2 = stablehlo.add %iterArg, %c_2 : tensor<i32>
      stablehlo.return %h_2, %add_2 : tensor<i32>, tensor<1x16x32xf32>
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
