/* A library whose interface reaches every type of the C ABI but drafts, for abidw: tests/attack/abi.py. */
#include "mixop/abi/dataset.h"
#include "mixop/abi/ext/backward.h"
#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/log.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/abi/factory.h"
#include "mixop/abi/operator.h"
#include "mixop/abi/plugin.h"

const MixopPluginDescriptor* mixop_plugin_v1(void);
const MixopPluginDescriptor* mixop_plugin_v1(void) { return 0; }

MixopNote mixop_note;
MixopOperator mixop_operator;
MixopStructure mixop_structure;
MixopCostTable mixop_cost;
MixopBackward mixop_backward;
MixopLog mixop_log;
MixopDataset mixop_dataset;
MixopFactory mixop_factory;
MixopStrategy mixop_strategy;
