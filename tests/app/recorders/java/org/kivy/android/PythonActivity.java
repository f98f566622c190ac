package org.kivy.android;

import android.app.Activity;

/** The part of python-for-android's activity by which its module android.permissions works. */
public class PythonActivity extends Activity {
    public static PythonActivity mActivity = new PythonActivity();

    private PermissionsCallback permissionCallback;

    public interface PermissionsCallback {
        void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults);
    }

    public void addPermissionsCallback(PermissionsCallback callback) {
        permissionCallback = callback;
    }

    public void requestPermissionsWithRequestCode(String[] permissions, int requestCode) {
        requestPermissions(permissions, requestCode);
    }

    @Override
    public void onRequestPermissionsResult(
            int requestCode, String[] permissions, int[] grantResults) {
        if (permissionCallback != null)
            permissionCallback.onRequestPermissionsResult(requestCode, permissions, grantResults);
    }
}
