#pragma once

#include "bitplan/train.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::TrainOptions, method, activation_method, batch_norm, epochs, batch_size, optimizer,
               learning_rate, momentum, weight_decay, schedule, step_epochs, step_factor, warm_up_steps, clip_norm,
               crop_padding, flip, distillation, loss, temperature, incremental, stages, widen, freeze, held_out,
               calibration_samples, seed, memory_bytes, state_dict, checkpoint, progress);
