#include "host/report/costs.hpp"

#include <set>

#include "host/graph/measure.hpp"
#include "host/search/run_check.hpp"
#include "host/search/search.hpp"
#include "host/task/task.hpp"
#include "host/train/network_archive.hpp"

namespace mixop {
namespace {

void write_cost(JsonWriter& json, const char* of, const MeasuredNetwork& network) {
  const Cost cost = network.cost();
  const std::set<std::string> distinct(cost.uncounted.begin(), cost.uncounted.end());
  json.begin_object()
      .member("of", of)
      .member("parameters", cost.parameters)
      .member("multiply_adds", cost.multiply_adds)
      .member("uncounted", std::vector<std::string>(distinct.begin(), distinct.end()))
      .end();
}

void write_network_cost(JsonWriter& json, const Archive& archive, const Application& application) {
  const Config config = archived_network_config(archive, application.catalog);
  write_cost(json, "the network",
             archived_size(archive, config, stored::archived_data(archive), application.plugins, options_of(config)));
}

void write_search_costs(JsonWriter& json, const Archive& archive, const Application& application) {
  const Config config = archived_config(archive, application.catalog);
  const NetworkData data = stored::archived_data(archive);
  const DatasetInfo info = task_of(data).info_of(data.shape, data.classes);
  write_cost(json, "the supernet", measured_supernet(config, application.plugins, options_of(config), info));
  const auto space = make_part<SearchSpace>(application.plugins, config.space.name, options_of(config));
  write_cost(json, "the last genotype",
             measure(space->network(space_config(config.space, info, *space), genotypes(archive).back()),
                     RegistryCatalog(application.plugins)));
}

}  // namespace

void write_costs(JsonWriter& json, const Archive& archive, const Application& application) {
  std::string problem;
  json.key("costs").begin_list();
  try {
    stored::is_of_kind(archive, network_kind) ? write_network_cost(json, archive, application)
                                              : write_search_costs(json, archive, application);
  } catch (const Error& error) {  // a plugin that is not here is no reason to have no page, which says so
    problem = error.what();
  }
  json.end().member("costs_problem", problem);
}

}  // namespace mixop
