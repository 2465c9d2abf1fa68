// SPDX-License-Identifier: Apache-2.0
#include "guestbook.h"

int main(int argc, char** argv) {
  bedplate::app::Application app({"guestbook", "1.0.0", "A guestbook that anybody may sign."});
  guestbook::add_to(app);
  return app.run(argc, argv);
}
