// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/application.h"
#include "guestbook.h"

int main(int argc, char** argv) {
  bedplate::app::Application app({"guestbook", "1.0.0", "A guestbook that anybody may sign."});
  app.add(guestbook::guestbook_module());
  return app.run(argc, argv);
}
