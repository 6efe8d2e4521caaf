sallyport_unit_test(authd
  grants_test.cpp login_keys_test.cpp login_test.cpp policy_test.cpp remembered_keys_test.cpp
  LIBS sallyport_authd_core)
